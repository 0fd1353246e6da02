/* SPDX-License-Identifier: PostgreSQL */
/*
 * No-transaction scripts: group by group, each recorded as it is done, so that a stopped one goes on where it
 * stopped, provided that what ran is unchanged.
 *
 * Whatever may run in a transaction does so together with its progress row, so it is done and recorded, or
 * neither. A statement that must run alone is announced before it begins (see bare_run).
 *
 * Settings a script makes for its session (SET, RESET, set_config) hold for the rest of it, as under psql:
 * every group begins in a fresh session with the settings of the statements before it made again.
 */
#ifndef MIGRATOR_GROUPS_H
#define MIGRATOR_GROUPS_H

#include "migrator/execute.h"

struct group_run {
    const char *version;
    size_t index; /* in the run */
    const struct script *script;
    const struct run_identity *identity;
    bool backwards; /* a rollback script */
    /* Owned. Forward: sent before the first statement. Backwards, or NULL: sent where nothing was done. */
    struct history_statement *begin, *put_back;
    size_t done;      /* statements that earlier runs have done */
    bool started;     /* an earlier run began the statement after those … */
    bool unconfirmed; /* … and never recorded its outcome */
    bool kept;        /* something of the statement that failed stays, or may */
    int64_t lock_timeout_ms, statement_timeout_ms;
    const char *role;
    struct migration_result *result;
};
void group_run_done(struct group_run *run);
CLEANUP_VALUE(struct group_run, group_run_done)

/* Take over from the row how far earlier runs came. */
void groups_resume(struct group_run *run, const struct history_row *row);

/* ERROR_CONFLICT at the first statement that earlier runs have done and that is another one now; of run,
 * version, script, backwards and done matter. */
MUST_CHECK bool groups_check_unchanged(const struct history *history, const struct group_run *run,
                                       struct error *error);

/* The statements' hashes, for the history. */
struct text_list groups_hashes(const struct script *script);

/* How far it came, for the history: the first `done` statements are done; the next one is about to run by
 * itself, or not. */
struct history_statement *groups_progress(const struct history *history, const struct group_run *run,
                                          size_t done, bool started, int64_t execution_ms);

/*
 * On failure run->done tells how far it came; ERROR_PARTIAL when something was done or may have been,
 * ERROR_UNKNOWN when what became of a COMMIT could not be asked, else the error's own code; ERROR_CONFLICT
 * when what ran was changed.
 */
MUST_CHECK bool groups_run(struct execution *execution, struct group_run *run, struct error *error);

#endif
