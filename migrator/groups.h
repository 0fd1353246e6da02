/* SPDX-License-Identifier: PostgreSQL */
/*
 * No-transaction scripts: group by group, each recorded as it is done, so that a stopped one goes on where it
 * stopped.
 *
 * Whatever may run in a transaction does so together with its progress row, so it is done and recorded, or
 * neither. A statement that must run alone is announced before it begins; if its outcome was never recorded
 * (client killed), the next run finds the announcement: an index is looked at, statements that may be
 * repeated are, and anything else stops with the remedy instead of a guess.
 */
#ifndef MIGRATOR_GROUPS_H
#define MIGRATOR_GROUPS_H

#include "migrator/execute.h"

struct group_run {
    const char *version;
    size_t index; /* in the run */
    const struct script *script;
    const struct run_identity *identity;
    bool record;      /* keep progress in the history (apply); else only run (rollback) */
    size_t done;      /* statements that earlier runs have done */
    bool begun;       /* an earlier run has begun the statement after those */
    bool unconfirmed; /* that statement was announced and its outcome never recorded */
    int64_t lock_timeout_ms, statement_timeout_ms;
    const char *role;
    struct migration_result *result;
};

/* On failure run->done tells how far it came; ERROR_PARTIAL when something was done, else the error's own
 * code. */
MUST_CHECK bool groups_run(struct execution *execution, struct group_run *run, struct error *error);

#endif
