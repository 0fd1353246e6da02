/* SPDX-License-Identifier: PostgreSQL */
/*
 * Run one script in one transaction together with its record, and tell what happens meanwhile.
 *
 * A job becomes a list of steps: BEGIN, settings, the script's statements, the verify script's, the history
 * row, COMMIT. Steps travel by libpq's pipeline mode, all at once and with a flush after each statement, so a
 * migration costs one round trip and every statement's time is known. Two things need another way: COPY,
 * which the pipeline does not carry, goes step by step; and a verify script is looked at before COMMIT is
 * sent. Step by step is also how a run goes where somebody looks at each statement (struct run_watch); who
 * looks only before COMMIT does so between the pipeline's end and COMMIT, which costs one round trip more.
 *
 * A dry run does what is deferred to COMMIT in its place, so that the next job finds what it will find.
 *
 * After a failed step the server skips the rest up to the sync, the COMMIT included. Several jobs may be in
 * flight before one sync (execute_jobs): when one fails, also at its COMMIT, nothing of the later ones runs.
 */
#ifndef MIGRATOR_EXECUTE_H
#define MIGRATOR_EXECUTE_H

#include "migrator/execution.h"

struct step;

struct job {
    const char *version;
    size_t index; /* in the run, 0-based */
    const struct script *script;
    size_t first, count; /* the statements of the script to run; written BEGIN and COMMIT are left out */
    const char *begin;   /* the BEGIN to use */
    const struct script *verify;      /* or NULL */
    struct history_statement *record; /* owned; NULL records nothing */
    int64_t lock_timeout_ms, statement_timeout_ms;
    const char *role;                    /* of the script, or NULL for the run's */
    int64_t verify_statement_timeout_ms; /* of the migration that is verified, … */
    const char *verify_role;             /* … as this */
    bool durable;                        /* COMMIT waits for the disk */
    bool unlock;                         /* after COMMIT the run is over and gives the run lock back */
    bool whole;                          /* the job is the whole migration: its begin and end are told */
    struct migration_result *result;     /* times are added to its statements; NULL keeps none */

    /* Filled by running it. */
    size_t attempts;
    bool commit_sent; /* and what became of it is not known if the connection is lost now */
    char *xid;        /* of its transaction, once the record was answered; owned */
    int64_t execution_ms;
    struct step *steps; /* while in flight */
    size_t step_count, look, hold, sent;
};
void job_done(struct job *job);
CLEANUP_VALUE(struct job, job_done)

/*
 * Run jobs in order, at most window of them in flight. On failure *ret_done are committed, jobs[*ret_done]
 * failed and was rolled back (unless the connection is lost), nothing later ran. A job with a verify script
 * or COPY needs a call of its own (see execute_in_batch). error has the place in the file.
 */
MUST_CHECK bool execute_jobs(struct execution *execution, struct job *jobs, size_t count, size_t window,
                             size_t *ret_done, struct error *error);
/* The connection was lost, and the job turned out to be committed: tell its end. */
void execute_confirm(struct execution *execution, struct job *job);
/* A script may throw away what was prepared (DEALLOCATE ALL): whether that is why a job failed; it can be run
 * again. */
bool execute_forgotten(struct execution *execution, const struct error *error);
/* Whether a script may be in flight together with others: not with COPY, a verify script or very many
 * statements.
 */
bool execute_in_batch(const struct script *script, const struct script *verify);

#endif
