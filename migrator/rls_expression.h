/* SPDX-License-Identifier: PostgreSQL */
/*
 * What the expression of a policy comes to, judged by its syntax tree: expressions are as the server writes
 * them with search_path = pg_catalog. Where the grammar of libpg_query does not understand one, the answer is
 * false.
 */
#ifndef MIGRATOR_RLS_EXPRESSION_H
#define MIGRATOR_RLS_EXPRESSION_H

#include <stdbool.h>

/* True for every row: true, 'a' = 'a', t = t, … OR true. A column may be NULL: that hides only such rows. */
bool rls_expression_always_true(const char *expression);

/*
 * True when the session says nothing of a tenant: its setting IS NULL OR …, is empty OR …, COALESCE(setting,
 * the column itself). nullable: rows may have no tenant, so that IS NOT DISTINCT FROM shows them to a session
 * that has none.
 */
bool rls_expression_fails_open(const char *expression, bool nullable);

/*
 * Whether a branch of an OR asks for something, but not for the tenant, while the rest does. about is JSON:
 * {"columns": [names of the tenant columns], "branch": "row" or "session"}: a branch that looks at the row,
 * or one that only asks who somebody is. What asks other tables, or a function about the row, may find the
 * tenant there.
 */
bool rls_expression_has_free_branch(const char *expression, const char *about);

#endif
