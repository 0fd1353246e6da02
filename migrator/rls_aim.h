/* SPDX-License-Identifier: PostgreSQL */
/*
 * One aim of the probes: a relation, as seen by tenant A who tries to get at the rows of tenant B. It knows
 * what stands for the names in the statements of sql/rls/probe, such as :foreign and :values_b.
 *
 * Whose a row is can be told by the tenant column; where a table has none, the role might not see the parents
 * that know it, so that rows are named by their places (at most 1000 of them).
 */
#ifndef MIGRATOR_RLS_AIM_H
#define MIGRATOR_RLS_AIM_H

#include "migrator/rls_seed.h"

struct rls_aim {
    const struct rls_target *target;
    const struct rls_seed *a, *b;
    const char *tenant_a, *tenant_b;
    struct rls_pairs names; /* NULL: there is no such thing here */
    struct rls_pairs shown; /* what is said otherwise to people: names that come first */
    int64_t mine;           /* rows of A that a role should see; -1: not known */
    int64_t theirs;         /* rows of B, */
    int64_t foreign;        /* of all but A, */
    int64_t all;            /* and in all; -1: not known */
    char *problem;          /* why the table cannot be looked at, or NULL */
};

/* Everything but the last four is given. False only when the connection is of no more use. */
MUST_CHECK bool rls_aim_take(struct postgres *postgres, const struct rls_targets *targets,
                             struct rls_aim *aim, struct error *error);
/* The statement, with more names in front; NULL where it is about something that is not there. To be run, or
 * to be shown. The caller frees it. */
char *rls_aim_bind(const struct rls_aim *aim, const char *sql, const struct rls_pairs *more);
char *rls_aim_show(const struct rls_aim *aim, const char *sql, const struct rls_pairs *more);
/* Whether such a name is in the statement but not here because rows could not be made. */
bool rls_aim_lacks_rows(const struct rls_aim *aim, const char *sql);

void rls_aim_clear(struct rls_aim *aim);
CLEANUP_VALUE(struct rls_aim, rls_aim_clear)

#endif
