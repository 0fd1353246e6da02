/* SPDX-License-Identifier: PostgreSQL */
/* What a run did, as apply and rollback tell it. */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

#include "cli/command.h"
#include "migrator/run.h"

/* Fields "run_id", "backup_id" and "migrations": [{version, state, execution_ms, attempts, statements:
 * [{line, ms, rows}]}]. */
void outcome_fill(json_t *document, const struct run_result *result);

struct outcome {
    const struct run_result *result;
    struct error *error; /* NULL after success */
    const char *done;    /* "applied", "rolled back", "tried" */
    bool backwards;      /* rollback scripts ran: what failed stays applied */
    const char *target;  /* "app@host/db" */
    int64_t ms;          /* of the whole run */
};

/*
 * One line: "3 of 3 applied in 0.4 s on app@host/db", or "2 of 5 applied; 043_x failed and was rolled back; 2
 * not reached". NULL when nothing was to be done, or nothing begun. The caller frees it.
 */
char *outcome_summary(const struct outcome *outcome);

/* Whether a signal stopped the run: then its message says the summary, too. summary may be NULL. */
bool outcome_signalled(const struct outcome *outcome, const char *summary);

#endif
