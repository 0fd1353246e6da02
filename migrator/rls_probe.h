/* SPDX-License-Identifier: PostgreSQL */
/*
 * Isolation proved by attack: as each role of the application and each of two tenants, everything is tried
 * that would reach the other tenant's rows.
 *
 * All of it happens in one transaction, with a savepoint around each attempt, and is undone; so are the rows
 * that are made for it. Sequences stay advanced, and what a trigger does outside the database stays done:
 * never on a protected database (deploy/guard.h).
 */
#ifndef MIGRATOR_RLS_PROBE_H
#define MIGRATOR_RLS_PROBE_H

#include "migrator/rls_finding.h"
#include "migrator/rls_settings.h"

struct rls_probe_options {
    int64_t lock_timeout_ms, statement_timeout_ms; /* for each statement */
    /* Before each relation; may be NULL. */
    void (*progress)(void *context, const char *object, size_t done, size_t total);
    void *context;
};

/* One kind of probe: how its attempts ended. */
struct rls_probe_count {
    char id[4];
    size_t passed, found, not_granted, inconclusive;
};

struct rls_probe_result {
    struct rls_findings findings;
    struct rls_probe_count counts[16]; /* D0, D1, … by their number */
    size_t probes;                     /* attempts, without those for which nothing was granted */
    char *tenants[2];                  /* NULL: there was nothing to probe */
    bool made;                         /* they are nobody's */
    struct text_list notes;            /* what this run could not show, as sentences */
};
void rls_probe_result_clear(struct rls_probe_result *result);
CLEANUP_VALUE(struct rls_probe_result, rls_probe_result_clear)

/* postgres is idle, and connected as who may see all rows: what it may not see is inconclusive. */
MUST_CHECK bool rls_probe_run(struct postgres *postgres, const struct rls_settings *settings,
                              const struct rls_probe_options *options, struct rls_probe_result *ret,
                              struct error *error);

#endif
