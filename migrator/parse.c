/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/parse.h"
#include "common/text.h"
#include "migrator/token.h"
#include <jansson.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <string.h>
#include <strings.h>

/* The grammar's actions recurse; the scanner does not, but takes some 40 bytes for each of the text. */
enum { PARSE_BYTES = 64 * 1024, SCAN_BYTES = 1024 * 1024 };

/* ---- the grammar ---- */

void index_build_clear(struct index_build *build)
{
    free(build->schema);
    free(build->index);
    free(build->table);
    *build = (struct index_build){0};
}

/*
 * CREATE INDEX up to its columns, and one that stands for them: they can be newer than the grammar or deeper
 * than the stack, and say nothing about names.
 */
static char *without_columns(const char *statement)
{
    struct tokens tokens = {.text = statement, .length = strlen(statement)};
    struct token token;

    if (token_accept(&tokens, "CREATE"))
        while (token_next(&tokens, &token))
            if (token_is_symbol(&token, '('))
                return text_format("%.*s(a)", (int)(token.text - statement), statement);
    return text_copy(statement);
}

static bool read_index_build(json_t *tree, struct index_build *ret)
{
    const char *schema = NULL, *name = NULL, *index = NULL, *kind = "";
    int if_not_exists = 0;

    if (json_unpack(tree, "{s:[{s:{s:{s?s, s:{s?s, s:s}, s?b}}}]}", "stmts", "stmt", "IndexStmt", "idxname",
                    &index, "relation", "schemaname", &schema, "relname", &name, "if_not_exists",
                    &if_not_exists) == 0) {
        *ret = (struct index_build){
            .schema = text_copy(schema),
            .index = text_copy(index),
            .table = text_copy(name),
            .if_not_exists = if_not_exists,
        };
        return true;
    }
    if (json_unpack(tree, "{s:[{s:{s:{s:s, s:{s?s, s:s}}}}]}", "stmts", "stmt", "ReindexStmt", "kind", &kind,
                    "relation", "schemaname", &schema, "relname", &name) != 0)
        return false;
    bool table = strcmp(kind, "REINDEX_OBJECT_TABLE") == 0;
    if (!table && strcmp(kind, "REINDEX_OBJECT_INDEX") != 0)
        return false;
    *ret = (struct index_build){.schema = text_copy(schema), .reindex = true};
    *(table ? &ret->table : &ret->index) = text_copy(name);
    return true;
}

char *parse_tree(const char *statement)
{
    if (strlen(statement) > PARSE_BYTES)
        return NULL;
    PgQueryParseResult result = pg_query_parse(statement);
    char *tree = result.error ? NULL : text_copy(result.parse_tree);

    pg_query_free_parse_result(result);
    return tree;
}

bool parse_index_build(const char *statement, struct index_build *ret)
{
    OWNED char *text = without_columns(statement);

    OWNED char *json = parse_tree(text);
    json_t *tree = json ? json_loads(json, 0, NULL) : NULL;
    bool found = read_index_build(tree, ret);

    json_decref(tree);
    return found;
}

/* ---- the scanner ---- */

static void scan_free(PgQuery__ScanResult *scan)
{
    if (scan)
        pg_query__scan_result__free_unpacked(scan, NULL);
}
CLEANUP_POINTER(PgQuery__ScanResult *, scan_free)

/* NULL when the text is not understood; then *ret_open is the character where what has no end begins, or 0.
 */
static PgQuery__ScanResult *scan_text(const char *text, size_t *ret_open)
{
    PgQuery__ScanResult *scan = NULL;

    *ret_open = 0;
    if (strlen(text) > SCAN_BYTES)
        return NULL;
    PgQueryScanResult result = pg_query_scan(text);
    if (!result.error)
        scan = pg_query__scan_result__unpack(NULL, result.pbuf.len, (const uint8_t *)result.pbuf.data);
    else if (text_starts_with(result.error->message, "unterminated "))
        *ret_open = (size_t)result.error->cursorpos;
    pg_query_free_scan_result(result);
    return scan;
}

struct lexeme {
    const char *text;
    size_t length;
    int kind;
};

/*
 * The next token at or behind *at that is no comment. It reaches to the next one, whatever that is: the
 * library's own ends are wrong for U&'…', and all between two tokens is white space.
 */
static bool next_lexeme(const PgQuery__ScanResult *scan, const char *text, size_t *at, struct lexeme *ret)
{
    const PgQuery__ScanToken *token;

    do {
        if (*at >= scan->n_tokens)
            return false;
        token = scan->tokens[(*at)++];
    } while (token->token == PG_QUERY__TOKEN__C_COMMENT || token->token == PG_QUERY__TOKEN__SQL_COMMENT);

    size_t begin = (size_t)token->start;
    size_t end = *at < scan->n_tokens ? (size_t)scan->tokens[*at]->start : strlen(text);

    while (end > begin && strchr(" \t\n\r\f\v", text[end - 1]))
        end--;
    *ret = (struct lexeme){
        .text = text + begin,
        .length = end - begin,
        .kind = (int)token->token,
    };
    return true;
}

static bool same_lexeme(const struct lexeme *a, const struct lexeme *b)
{
    return a->kind == b->kind && a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

bool parse_same_tokens(const char *a, const char *b)
{
    size_t ignored, at_a = 0, at_b = 0;
    AUTO(scan_free) PgQuery__ScanResult *scan_a = scan_text(a, &ignored), *scan_b = scan_text(b, &ignored);

    if (!scan_a || !scan_b)
        return strcmp(a, b) == 0;
    for (;;) {
        struct lexeme lexeme_a, lexeme_b;
        bool more_a = next_lexeme(scan_a, a, &at_a, &lexeme_a);
        bool more_b = next_lexeme(scan_b, b, &at_b, &lexeme_b);

        if (!more_a || !more_b)
            return more_a == more_b;
        if (!same_lexeme(&lexeme_a, &lexeme_b))
            return false;
    }
}

bool parse_find_open(const char *text, size_t *ret_offset)
{
    const PgQuery__ScanToken *begin = NULL, *parenthesis = NULL;
    size_t open, depth = 0;
    AUTO(scan_free) PgQuery__ScanResult *scan = scan_text(text, &open);

    if (open > 0)
        *ret_offset = text_offset_of_character(text, strlen(text), open);
    for (size_t i = 0; scan && i < scan->n_tokens; i++) {
        const PgQuery__ScanToken *token = scan->tokens[i];

        if (token->token == PG_QUERY__TOKEN__ASCII_40 && depth++ == 0)
            parenthesis = token;
        else if (token->token == PG_QUERY__TOKEN__ASCII_41 && depth > 0)
            depth--;
        else if (token->token == PG_QUERY__TOKEN__BEGIN_P && !begin)
            begin = token;
    }
    if (depth > 0 || begin)
        *ret_offset = (size_t)(depth > 0 ? parenthesis : begin)->start;
    return open > 0 || depth > 0 || begin;
}
