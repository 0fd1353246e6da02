/* SPDX-License-Identifier: PostgreSQL */
/*
 * The connection was lost while a COMMIT may have been under way: ask the server what became of it.
 *
 * A new connection waits until the old server process is gone (ending it if it lingers), then reads the
 * history: the migration's row was written by the same transaction, so the row's presence is the answer.
 */
#ifndef MIGRATOR_SETTLE_H
#define MIGRATOR_SETTLE_H

#include "migrator/execute.h"

enum settled { SETTLED_COMMITTED, SETTLED_UNDONE, SETTLED_UNKNOWN };

/*
 * For jobs whose COMMIT was sent, in order: how many of them are committed. forgetting: the jobs take rows
 * away (rollback) instead of writing them. SETTLED_UNKNOWN when the server cannot be asked; SETTLED_COMMITTED
 * when all are.
 */
enum settled settle(struct execution *execution, const char *run_id, const struct job *jobs, size_t count,
                    bool forgetting, size_t *ret_committed);

/* The error to report for the first job that is not committed; lost is the connection's own error, which is
 * consumed. */
bool settle_error(enum settled settled, const struct job *job, struct error *lost, struct error *error);

#endif
