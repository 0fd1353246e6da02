/* SPDX-License-Identifier: PostgreSQL */
/*
 * What PostgreSQL's own scanner and grammar, as libpg_query has them, say about a piece of SQL.
 *
 * The library knows the language of one version of the server, and long texts would cost it much memory. So
 * "not understood" is an answer here, never an error: each function says what it means then.
 */
#ifndef MIGRATOR_PARSE_H
#define MIGRATOR_PARSE_H

#include "common/memory.h"
#include <stdbool.h>
#include <stddef.h>

/* The index and table that CREATE INDEX, REINDEX INDEX or REINDEX TABLE names. Names are as in the catalogs.
 */
struct index_build {
    char *schema; /* as written; for CREATE INDEX the table's, where the index will be; or NULL */
    char *index;  /* NULL: CREATE INDEX leaves the name to the server */
    char *table;  /* NULL for REINDEX INDEX */
    bool if_not_exists;
    bool reindex;
};

/* False when the statement is none of these, or is not understood. */
bool parse_index_build(const char *statement, struct index_build *ret);
void index_build_clear(struct index_build *build);
CLEANUP_VALUE(struct index_build, index_build_clear)

/* The syntax tree of a statement as JSON text (libpg_query's), the caller's to free; NULL when it is not
 * understood. */
char *parse_tree(const char *statement);

/*
 * Whether two statements differ in comments and white space only: all other tokens compare by byte.
 * Statements that are not understood are the same when all their bytes are.
 */
bool parse_same_tokens(const char *a, const char *b);

/*
 * The byte where the text opens what it never closes: a quote or comment, else the outermost parenthesis,
 * else the BEGIN of a function's body. False when there is none of these, or the text is not understood.
 */
bool parse_find_open(const char *text, size_t *ret_offset);

#endif
