/* SPDX-License-Identifier: PostgreSQL */
/*
 * What probes are aimed at: the relations with rows of tenants, and the SQL that says whose a row is.
 *
 * A condition is about a row "r". Where the table has no tenant column of its own it looks through the
 * parents, so that only who sees all of them gets the right answer.
 */
#ifndef MIGRATOR_RLS_TARGET_H
#define MIGRATOR_RLS_TARGET_H

#include "common/postgres.h"
#include "migrator/rls_settings.h"

struct rls_target {
    char *oid;
    char *object; /* as SQL names it behind FROM */
    char *label;  /* and people: "view app.v" */
    char kind;    /* as in pg_class.relkind: r p v m f; or F, a function */
    bool child;   /* a partition, or an inheritance child */
    char *before, *after;
    char *tenant; /* the tenant column, unquoted; NULL: through its parents */
    char *type;   /* of the tenant column, and its category in pg_type */
    char *category;
};
struct rls_targets {
    struct rls_target *items;
    size_t count;
};

/* In the transaction of rls_check_begin. */
MUST_CHECK bool rls_targets_read(struct postgres *postgres, struct rls_targets *ret, struct error *error);
const struct rls_target *rls_targets_find(const struct rls_targets *targets, const char *oid);
/* An array of the relations' oids, as the server reads it. The caller frees it. */
char *rls_targets_oids(const struct rls_targets *targets);
bool rls_target_is_table(const struct rls_target *target); /* rows can be made in it */
/* "r.tenant_id = '1'" for the operator "=". The caller frees it. */
char *rls_target_condition(const struct rls_target *target, const char *operator, const char * tenant);

void rls_targets_clear(struct rls_targets *targets);
CLEANUP_VALUE(struct rls_targets, rls_targets_clear)

#endif
