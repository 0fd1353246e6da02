/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/leftover.h"

#include <stddef.h>
#include <string.h>

/* Without one of these words no script leaves it. */
static const struct {
    enum leftover kind;
    const char *word, *other_word;
} words[] = {
    {LEAVES_TEMPORARY, "temp", NULL},      {LEAVES_CURSORS, "hold", NULL},
    {LEAVES_CHANNELS, "listen", NULL},     {LEAVES_LOCKS, "advisory", NULL},
    {LEAVES_VALUES, "currval", "lastval"},
};

/* "pg_prepared_statements" prepares nothing. */
static bool has_prepare(const char *text)
{
    const char *word = strcasestr(text, "prepare");
    while (word != NULL && (word[strlen("prepare")] | 0x20) == 'd')
        word = strcasestr(word + 1, "prepare");
    return word != NULL;
}

unsigned leftover_find(const char *text)
{
    unsigned kinds = has_prepare(text) ? LEAVES_PREPARED : 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(text, words[i].word) != NULL ||
            (words[i].other_word != NULL && strcasestr(text, words[i].other_word) != NULL))
            kinds |= words[i].kind;
    return kinds;
}

bool leftover_begin(const char *text)
{
    return strcasestr(text, "default_transaction") != NULL || strcasestr(text, "characteristics") != NULL;
}
