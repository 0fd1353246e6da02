/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/mark.h"
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* A blank stands for any number of them, letters for either case: most of these tools are not strict. */
static const struct {
    const char *words, *tool;
    bool plain; /* may be the beginning of a sentence */
} foreign[] = {
    {"+goose up", "goose", false},
    {"+goose down", "goose", false},
    {"+migrate up", "sql-migrate", false},
    {"+migrate down", "sql-migrate", false},
    {"+micrate up", "micrate", false},
    {"+micrate down", "micrate", false},
    {"rambler up", "rambler", false},
    {"rambler down", "rambler", false},
    {"create above / drop below", "tern", false},
    {"!ups", "Play", false},
    {"!downs", "Play", false},
    {"//@undo", "MyBatis Migrations or dbdeploy", false},
    {"// @undo", "MyBatis Migrations or dbdeploy", false},
    {"@undo", "MyBatis Migrations", false},
    {"up migration", "node-pg-migrate", true},
    {"down migration", "node-pg-migrate", true},
};

static bool ends_line(char c)
{
    return c == '\0' || c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool ends_word(char c)
{
    return is_blank(c) || ends_line(c);
}

static bool word_part(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The length of what matches the words at the beginning of a text; 0 when it begins otherwise. */
static size_t matching(const char *text, const char *words)
{
    size_t at = 0;
    for (; *words; words++) {
        size_t blanks = *words == ' ' ? strspn(text + at, BLANKS) : 1;
        if (blanks == 0 || (*words != ' ' && strncasecmp(text + at, words, 1) != 0))
            return 0;
        at += blanks;
    }
    return at;
}

/* "migrate:up" itself, or what can only be meant as that. */
static enum mark_kind own_kind(const char *text, bool line_start)
{
    size_t word = matching(text, "migrate");
    size_t colon = word + strspn(text + word, BLANKS);
    if (word == 0 || text[colon] != ':')
        return MARK_NONE;
    size_t side = colon + 1 + strspn(text + colon + 1, BLANKS);
    size_t up = matching(text + side, "up"), down = matching(text + side, "down");
    if (up + down == 0)
        return MARK_NONE;
    const char *rest = text + side + up + down;
    const char *more = rest + strspn(rest, ":;,.");
    bool exact = strncmp(text, up > 0 ? "migrate:up" : "migrate:down", (size_t)(rest - text)) == 0;
    if (exact && line_start && ends_word(*rest))
        return up > 0 ? MARK_UP : MARK_DOWN;
    /* "migrate: up to a million rows" is a sentence. */
    bool meant = *rest == ':' || ends_word(*more);
    if (side != word + 1)
        meant = ends_line(more[strspn(more, BLANKS)]) || matching(more, " transaction:") > 0;
    return meant ? MARK_MISSPELT : MARK_NONE;
}

struct mark mark_read(const char *text, size_t offset)
{
    size_t begin = offset;
    while (begin > 0 && is_blank(text[begin - 1]))
        begin--;
    if ((begin > 0 && !ends_line(text[begin - 1])) || strncmp(text + offset, "--", 2) != 0)
        return (struct mark){0};
    const char *words = text + offset + strspn(text + offset, "-" BLANKS);
    struct mark mark = {.kind = own_kind(words, begin == offset)};
    for (size_t i = 0; mark.kind == MARK_NONE && i < sizeof foreign / sizeof *foreign; i++) {
        size_t length = matching(words, foreign[i].words);
        if (length > 0 && (foreign[i].plain || !word_part(words[length])))
            mark = (struct mark){foreign[i].plain ? MARK_WORDS : MARK_FOREIGN, foreign[i].tool};
    }
    return mark;
}

bool mark_possible(const char *text)
{
    const char *at = text;
    while ((at = strstr(at, "--")) != NULL) {
        if (mark_read(text, (size_t)(at - text)).kind != MARK_NONE)
            return true;
        at += 2;
    }
    return false;
}
