/* SPDX-License-Identifier: PostgreSQL */
/*
 * What policies cost: the server is asked how it would read each table as a role and a tenant of the
 * application (EXPLAIN; nothing is read or changed). The plan decides, not the text of the policy: a setting
 * in an index condition costs nothing, in a filter it is computed for every row.
 *
 *     D13  the policies of the table refer to each other without end (42P17): every statement fails
 *     P1   a function or setting is computed for every row
 *     P2   no index leads to the rows of a tenant        P3   because the column is cast
 *     P4   because of an OR                               P5   because of a VOLATILE function
 *     P6   several permissive policies side by side       P7   indexes whose operators are not leakproof
 *     P8   a subquery runs for every row
 *
 * P9, a helper that is not STABLE, is the catalog check S22, whatever the size. Tables of less than
 * RLS_LARGE_PAGES are left alone.
 */
#ifndef MIGRATOR_RLS_PERFORMANCE_H
#define MIGRATOR_RLS_PERFORMANCE_H

#include "migrator/rls_finding.h"
#include "migrator/rls_settings.h"

#define RLS_LARGE_PAGES 1000

struct rls_performance_check {
    const char *id;
    const char *title; /* what is true where it passes */
    bool of_roles;     /* asked as the application's roles */
};
/* Ended by a NULL id. */
extern const struct rls_performance_check rls_performance_checks[];

/* In the transaction of rls_check_begin. */
MUST_CHECK bool rls_performance_run(struct postgres *postgres, const struct rls_settings *settings,
                                    struct rls_findings *findings, struct error *error);

#endif
