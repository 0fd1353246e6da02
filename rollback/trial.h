/* SPDX-License-Identifier: PostgreSQL */
/*
 * All scripts of a rollback run, one after the other in a transaction that is undone: whether they work, and
 * what data they would destroy.
 *
 * Statements of no-transaction scripts that cannot run in a transaction are left out. When something after
 * that fails, that proves nothing; the trial ends there, and what comes later is listed as an unknown loss.
 */
#ifndef ROLLBACK_TRIAL_H
#define ROLLBACK_TRIAL_H

#include "rollback/dataloss.h"
#include "rollback/undo_plan.h"

struct trial {
    struct execution *execution;
    struct history *history; /* read again afterwards */
    const struct run_identity *identity;
    const struct undo_plan *plan;
    const struct run_options *options;
    struct run_result *result; /* the state of each item becomes tried or untried */
    bool quiet;                /* the server's notices come again with the real run */
};

/* Table locks that cannot be had are tried again, as by the real run, which can go on with *ret_dataloss
 * (rollback/guard). */
MUST_CHECK bool trial_run(const struct trial *trial, struct dataloss **ret_dataloss,
                          struct data_losses *ret_losses, struct error *error);

#endif
