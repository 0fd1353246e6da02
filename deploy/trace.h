/* SPDX-License-Identifier: PostgreSQL */
/*
 * Measuring migrations while they are applied: what each statement took, read, wrote, locked and for how
 * long, by looking into its transaction (struct run_watch) and from a second connection.
 *
 *     AUTO(trace_free) struct trace *trace = NULL;
 *     if (!trace_begin(postgres, &(struct trace_options){.history = history}, &trace, error))
 *         return false;
 *     options.run.watch = trace_watch(trace);
 *     bool good = apply_run(postgres, history, folder, &options, …);
 *     trace_take(trace, version, &rehearsal->items[i]);
 *
 * How it is known: rows and time from the statement itself; locks from pg_locks after it, since a transaction
 * keeps them, with the names that relations had before; new files of tables and indexes, scans and rows
 * written from what the session itself counts; WAL from the server's position, which other sessions move too.
 * Waits are sampled, and so are the locks of a statement outside transactions (see deploy/trace_observer).
 * held_us of a lock begins when its statement began, its waits over, and ends with COMMIT. Temporary files
 * are counted by the server when a transaction ends: with several statements in it, they are put down to the
 * longest. While a later statement is SET TRANSACTION, nothing can be asked; what the statements before it
 * did counts for the one after it.
 */
#ifndef DEPLOY_TRACE_H
#define DEPLOY_TRACE_H

#include "deploy/rehearsal.h"
#include "migrator/history.h"
#include "migrator/run.h"

struct trace;
struct trace_options {
    const struct history *history; /* left out of what is measured; borrowed */
    bool probe_victims;            /* a third connection reads and writes what is locked, and is held up */
};
/* postgres: a connection as the run will have it, outside transactions. */
MUST_CHECK bool trace_begin(struct postgres *postgres, const struct trace_options *options,
                            struct trace **ret, struct error *error);
void trace_free(struct trace *trace);
CLEANUP_POINTER(struct trace *, trace_free)

/* For the options of runs; borrowed from the trace. */
const struct run_watch *trace_watch(struct trace *trace);

/*
 * Move what was measured of a migration into ret: statements, touched, lock_wait_ms, commit_ms, victim; to be
 * taken before it runs, or is rolled back, a second time under the same watch. Of a migration that failed,
 * what was done before, with the statement that failed last. False, and ret as it was, when nothing was seen
 * of it. What happens to the database unwatched must happen between this and the next watched run.
 */
bool trace_take(struct trace *trace, const char *version, struct rehearsed *ret);

#endif
