/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/index_words.h"
#include "common/text.h"
#include "migrator/token.h"
#include <string.h>

enum { NAME_MAX_BYTES = 63 };

void index_build_clear(struct index_build *build)
{
    free(build->schema);
    free(build->index);
    free(build->table_schema);
    free(build->table);
    *build = (struct index_build){0};
}

/* The server cuts long names at its limit, between characters. */
static void cut(char *name)
{
    size_t length = strlen(name);

    if (length <= NAME_MAX_BYTES)
        return;
    length = NAME_MAX_BYTES;
    while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80)
        length--;
    name[length] = '\0';
}

/* name, or schema.name; a database in front is skipped. */
static bool read_name(struct tokens *tokens, char **ret_schema, char **ret_name)
{
    OWNED char *schema = NULL;
    OWNED char *name = NULL;

    for (;;) {
        struct token token, dot;

        if (!token_next(tokens, &token) || !(name = token_name(&token)))
            return false;
        cut(name);

        struct tokens ahead = *tokens;
        if (!token_next(&ahead, &dot) || !token_is_symbol(&dot, '.'))
            break;
        *tokens = ahead;
        free(schema);
        schema = take(name);
    }
    *ret_schema = take(schema);
    *ret_name = take(name);
    return true;
}

static bool read_create(struct tokens tokens, struct index_build *build)
{
    build->if_not_exists = token_accept_all(&tokens, "IF NOT EXISTS");
    if (!token_accept(&tokens, "ON")) {
        OWNED char *none = NULL;

        if (!read_name(&tokens, &none, &build->index) || !token_accept(&tokens, "ON"))
            return false;
    }
    (void)token_accept(&tokens, "ONLY");
    if (!read_name(&tokens, &build->table_schema, &build->table))
        return false;
    build->schema = text_copy(build->table_schema);
    return true;
}

/* Skip "(option, …)"; tells whether CONCURRENTLY is among them and not switched off. */
static bool read_options(struct tokens *tokens)
{
    struct tokens ahead = *tokens;
    struct token token;
    bool concurrently = false;

    if (!token_next(&ahead, &token) || !token_is_symbol(&token, '('))
        return false;
    while (token_next(&ahead, &token) && !token_is_symbol(&token, ')')) {
        if (!token_is(&token, "CONCURRENTLY"))
            continue;
        concurrently = !token_accept(&ahead, "false") && !token_accept(&ahead, "off");
    }
    *tokens = ahead;
    return concurrently;
}

static bool read_reindex(struct tokens tokens, struct index_build *build)
{
    bool concurrently = read_options(&tokens);
    bool index = token_accept(&tokens, "INDEX");

    if (!index && !token_accept(&tokens, "TABLE"))
        return false;
    concurrently = token_accept(&tokens, "CONCURRENTLY") || concurrently;
    return concurrently && (index ? read_name(&tokens, &build->schema, &build->index)
                                  : read_name(&tokens, &build->table_schema, &build->table));
}

bool script_index_build(const char *statement, struct index_build *ret)
{
    AUTO(index_build_clear) struct index_build build = {0};
    struct tokens tokens = {.text = statement, .length = strlen(statement)};
    bool found = false;

    if (token_accept_all(&tokens, "CREATE INDEX CONCURRENTLY") ||
        token_accept_all(&tokens, "CREATE UNIQUE INDEX CONCURRENTLY"))
        found = read_create(tokens, &build);
    else if (token_accept(&tokens, "REINDEX"))
        found = read_reindex(tokens, &build);
    if (!found)
        return false;
    *ret = build;
    build = (struct index_build){0};
    return true;
}
