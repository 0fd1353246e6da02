/* SPDX-License-Identifier: PostgreSQL */
#include "common/quote.h"

#include "common/memory.h"
#include <stdio.h>
#include <string.h>

static char *quote(const char *text, char mark)
{
    char *quoted = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&quoted, &size);
    fputc(mark, stream);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == mark)
            fputc(mark, stream);
        fputc(*at, stream);
    }
    fputc(mark, stream);
    fclose(stream);
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
    for (const char *at = sql; *at != '\0'; at++) {
        const struct postgres_name *name = at[0] == ':' && at[1] == '"' ? name_at(at, names) : NULL;
        if (name == NULL) {
            fputc(*at, stream);
            continue;
        }
        OWNED char *quoted = postgres_quote_name(name->value);
        fputs(quoted, stream);
        at += 2 + strlen(name->placeholder);
    }
    fclose(stream);
    return text;
}
