/* SPDX-License-Identifier: PostgreSQL */
/*
 * Rows to probe with, made from what a table itself asks for: what types, defaults, CHECK constraints,
 * domains and enums suggest, tried one after the other, or else a row like one of the tenant's that is there;
 * parents first, of the same tenant, where a foreign key needs one. Triggers run as for anybody.
 *
 * Everything happens in the caller's transaction, as who is connected, with row_security off, and is undone
 * with it; what fails leaves nothing behind.
 */
#ifndef MIGRATOR_RLS_SEED_H
#define MIGRATOR_RLS_SEED_H

#include "migrator/rls_target.h"

/* A row of a table: where it is, and the values of the columns that were given one (a value may be NULL). */
struct rls_row {
    char *table; /* the oid of the partition, or of the table; NULL: there is none */
    char *place; /* ctid */
    struct rls_pairs values;
    struct text_list copied; /* columns whose value is a row's that was there: not to be told to anybody */
};
void rls_row_clear(struct rls_row *row);
CLEANUP_VALUE(struct rls_row, rls_row_clear)
/* SQL: whether a row "r" is this one. The caller frees it. */
char *rls_row_condition(const struct rls_row *row);

/* What a target has of a tenant. */
struct rls_seed {
    struct rls_row row; /* to be changed: made for it, so that nothing refers to it, or else one there was */
    bool made;          /* it was made */
    struct rls_row fresh; /* values of one more, which is not there */
    char *problem;        /* the server's reason, where rows or values could not be had */
};
void rls_seed_clear(struct rls_seed *seed);

/* targets are to find a parent's tenant. False only when the connection is of no more use. */
MUST_CHECK bool rls_seed_make(struct postgres *postgres, const struct rls_targets *targets,
                              const struct rls_target *target, const char *tenant, struct rls_seed *ret,
                              struct error *error);

#endif
