/* SPDX-License-Identifier: PostgreSQL */
/*
 * Apply pending migrations: read the history without a lock; nothing pending is done; poll the run lock; read
 * the history again; prepare every script; run file by file, each transactional one in one transaction with
 * its verify script and its history row.
 */
#ifndef MIGRATOR_APPLY_H
#define MIGRATOR_APPLY_H

#include "migrator/plan.h"
#include "migrator/run.h"

/* Settings shared by everything that runs scripts. Texts are borrowed. */
struct run_options {
    const char *role;                 /* SET ROLE for the whole run, or NULL */
    int64_t lock_timeout_ms;          /* longest wait for one table lock in one attempt; 0 waits for ever */
    int64_t statement_timeout_ms;     /* 0: none */
    int64_t max_wait_ms;              /* all attempts for one migration together */
    int64_t wait_lock_ms;             /* for the run lock */
    bool pooler_session;              /* --pooler=session: the pooler in between keeps sessions */
    const struct text_list *settings; /* "name=value" for the variables directive; may be NULL */
    const char *git_commit;           /* or NULL */
    const char *backup_id;            /* or NULL */
    const char *reason;               /* or NULL */
    bool progress;                    /* somebody watches: send RUN_PROGRESS events */
    const struct run_watch *watch;    /* or NULL */
};

struct apply_options {
    struct run_options run;
    const char *to; /* or NULL */
    bool out_of_order;
    bool dry_run;
    size_t batch; /* files in flight at once; 1: each is confirmed before the next is sent */

    /*
     * Where something is to be applied: called under the run lock with what is to be run, when every script
     * has been prepared and before anything is changed. Where it fails, nothing is applied. It may take a
     * backup; the id it then answers stands in every row of the run. May be NULL; not for dry_run.
     */
    bool (*before)(void *context, const struct plan_steps *steps, char **ret_backup_id, struct error *error);
    void *before_context;
};

/*
 * history is refreshed along the way. The result is filled on failure too. Errors: ERROR_LOCKED,
 * ERROR_CONFLICT, ERROR_PARTIAL (a no-transaction script stopped half way), ERROR_UNKNOWN (COMMIT could not
 * be settled), ERROR_INTERRUPTED, ERROR_FAILED with the place in the file.
 */
MUST_CHECK bool apply_run(struct postgres *postgres, struct history *history, const struct folder *folder,
                          const struct apply_options *options, const struct run_listener *listener,
                          struct run_result *ret_result, struct error *error);

/*
 * Prepare every pending script without running anything, as apply does before its first one: for plan, which
 * shows what this finds. Entries' scripts are thrown away.
 */
MUST_CHECK bool apply_preflight(const struct plan_steps *steps, const struct history *history,
                                const struct text_list *settings, struct findings *ret_notices,
                                struct error *error);

#endif
