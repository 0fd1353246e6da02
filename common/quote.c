/* SPDX-License-Identifier: PostgreSQL */
#include "common/quote.h"

#include "common/memory.h"
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

static const struct postgres_name *name_at(const char *at, const struct postgres_name names[])
{
    for (const struct postgres_name *name = names; name->placeholder != NULL; name++) {
        size_t length = strlen(name->placeholder);
        if (strncmp(at + 2, name->placeholder, length) == 0 && at[2 + length] == '"')
            return name;
    }
    return NULL;
}

char *postgres_bind(const char *sql, const struct postgres_name names[])
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    const char *at = sql;
    for (const char *mark = strstr(at, ":\""); mark != NULL; mark = strstr(mark, ":\"")) {
        const struct postgres_name *name = name_at(mark, names);
        if (name == NULL) {
            mark += 2;
            continue;
        }
        OWNED char *quoted = postgres_quote_name(name->value);
        fwrite(at, 1, (size_t)(mark - at), stream);
        fputs(quoted, stream);
        at = mark = mark + strlen(":\"") + strlen(name->placeholder) + strlen("\"");
    }
    fputs(at, stream);
    fclose(stream);
    return text;
}
