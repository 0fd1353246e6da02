/* SPDX-License-Identifier: PostgreSQL */
/*
 * The connection was lost while a COMMIT may have been under way: ask the server what became of it.
 *
 * A new connection waits until the old server process is gone (ending it if it lingers), then asks two
 * witnesses: pg_xact_status of the transaction, whose number came back with the record, and the log, whose
 * line was written by the same transaction. The history's row alone cannot tell: the run lock went with the
 * connection, so another run may have written or taken it since.
 *
 * A signal does not keep from asking, it only shortens how long an answer is waited for.
 */
#ifndef MIGRATOR_SETTLE_H
#define MIGRATOR_SETTLE_H

#include "migrator/execute.h"

enum settled { SETTLED_COMMITTED, SETTLED_UNDONE, SETTLED_UNKNOWN };

struct settle_question {
    const char *run_id;
    const struct job *jobs; /* whose COMMIT was sent, in order */
    size_t count;
    bool unlogged;   /* parts of a script, which the log does not speak of */
    bool forgetting; /* they take rows away (rollback) instead of writing them */
};

/*
 * *ret_committed is how many of the jobs are committed. SETTLED_COMMITTED when all are, or else what became
 * of the first that is not; SETTLED_UNKNOWN when the server cannot be asked, or its answers contradict each
 * other.
 */
enum settled settle(struct execution *execution, const struct settle_question *question,
                    size_t *ret_committed);

/* The verdict over one job from what its two witnesses say, SETTLED_UNKNOWN being one that says nothing. */
enum settled settle_weigh(enum settled status, enum settled log);

/* The error to report for the first job that is not committed; lost is the connection's own error, which is
 * consumed. How to go on is for the caller to add to the hint. */
bool settle_error(enum settled settled, const struct job *job, struct error *lost, struct error *error);

/*
 * The failure of a migration whose connection is lost goes to the log on a new one, if the server is there at
 * the first try; nothing fails because of it. ERROR_UNKNOWN may not have been a failure and is left out.
 */
void settle_log(struct execution *execution, const struct run_identity *identity, const char *version,
                const struct error *failure);

#endif
