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

char *postgres_bind(const char *sql, const struct postgres_name names[])
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    const char *at = sql, *end;
    for (const char *mark = strchr(at, ':'); mark != NULL; mark = strchr(mark, ':')) {
        const struct postgres_name *name = name_at(mark, names, &end);
        if (mark[1] == ':' || name == NULL) {
            mark += mark[1] == ':' ? 2 : 1;
            continue;
        }
        OWNED char *value = value_at(mark, name->value);
        fwrite(at, 1, (size_t)(mark - at), stream);
        fputs(value, stream);
        at = mark = end;
    }
    fputs(at, stream);
    fclose(stream);
    return text;
}
