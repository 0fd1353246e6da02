/* SPDX-License-Identifier: PostgreSQL */
#include "common/quote.h"

#include "common/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Room for a text of quotes only; a stream would cost more than the copying, and this is called often. */
static char *quote(const char *text, char mark)
{
    char *quoted = memory_allocate(2 * strlen(text) + 3, 1), *end = quoted;
    *end++ = mark;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == mark)
            *end++ = mark;
        *end++ = *at;
    }
    *end = mark;
    return quoted;
}

char *postgres_quote_name(const char *name)
{
    return quote(name, '"');
}

char *postgres_quote_literal(const char *value)
{
    return quote(value, '\'');
}

/* The name whose placeholder stands after the colon at mark, and the byte after the placeholder. */
static const struct postgres_name *name_at(const char *mark, const struct postgres_name names[],
                                           const char **ret_end)
{
    char quoted = mark[1] == '"' || mark[1] == '\'' ? mark[1] : '\0';
    const char *start = mark + (quoted != '\0' ? 2 : 1);
    for (const struct postgres_name *name = names; name->placeholder != NULL; name++) {
        size_t length = strlen(name->placeholder);
        char next = strncmp(start, name->placeholder, length) == 0 ? start[length] : 'x';
        if (quoted != '\0' ? next != quoted : isalnum((unsigned char)next) || next == '_')
            continue;
        *ret_end = start + length + (quoted != '\0' ? 1 : 0);
        return name;
    }
    return NULL;
}

static char *value_at(const char *mark, const char *value)
{
    if (mark[1] == '"')
        return postgres_quote_name(value);
    return mark[1] == '\'' ? postgres_quote_literal(value) : text_copy(value);
}

/* The end of the literal, quoted name or comment that begins at text; text itself where none does. */
static const char *skip_opaque(const char *text)
{
    if (text[0] == '-' && text[1] == '-')
        return strchrnul(text, '\n');
    if (*text != '\'' && *text != '"')
        return text;
    const char *end = strchr(text + 1, *text);
    return end == NULL ? text + strlen(text) : end + 1;
}

char *postgres_bind(const char *sql, const struct postgres_name names[])
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (const char *at = sql, *end; *at != '\0'; at = end) {
        const struct postgres_name *name = *at == ':' ? name_at(at, names, &end) : NULL;
        if (name != NULL) {
            OWNED char *value = value_at(at, name->value);
            fputs(value, stream);
            continue;
        }
        end = *at == ':' && at[1] == ':' ? at + 2 : skip_opaque(at);
        if (end == at) /* up to what may begin something: this is called often */
            end += 1 + strcspn(at + 1, ":'\"-");
        fwrite(at, 1, (size_t)(end - at), stream);
    }
    fclose(stream);
    return text;
}
