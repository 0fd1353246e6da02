/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/undo.h"

#include "common/interrupt.h"
#include "migrator/groups.h"
#include "migrator/retry.h"
#include "migrator/session.h"
#include "migrator/settle.h"
#include "rollback/guard.h"
#include "rollback/trial.h"
#include "sql.h"

struct undo {
    struct execution execution;
    const struct undo_options *options;
    struct run_identity identity;
    struct history *history;
    struct undo_plan *plan;
    struct run_result *result;
};

/* ---- the real thing ---- */

/* The rollback counts from here on. */
static void succeeded(struct undo *undo, const struct job *job)
{
    struct migration_result *item = &undo->result->items[job->index];
    item->state = RUN_STATE_ROLLED_BACK;
    item->execution_ms = job->execution_ms;
    item->attempts = job->attempts;
    undo->result->done++;
}

static bool lost(struct undo *undo, struct job *job, struct error *error)
{
    size_t committed = 0;
    AUTO(error_clear) struct error gone = {0};
    error_move(&gone, error);
    enum settled settled = settle(&undo->execution,
                                  &(struct settle_question){.run_id = undo->identity.run_id,
                                                            .jobs = job,
                                                            .count = job->commit_sent ? 1 : 0,
                                                            .forgetting = true},
                                  &committed);
    if (settled == SETTLED_COMMITTED) {
        execute_confirm(&undo->execution, job);
        succeeded(undo, job);
        if (undo->result->done == undo->result->count)
            return true;
        error_move(error, &gone);
        return error_prefix(error, "the connection was lost after the rollback of \"%s\" was committed",
                            job->version);
    }
    return settle_error(settled, job, &gone, error);
}

static bool run_transactional(struct undo *undo, size_t at, struct error *error)
{
    const struct undo_step *step = &undo->plan->items[at];
    AUTO(job_done) struct job job = undo_plan_job(undo->plan, at, &undo->options->run);
    job.whole = true;
    job.result = &undo->result->items[at];
    job.record = history_forget(undo->history, &undo->identity, step->version, at, -1);
    if (!execute_with_retries(&undo->execution, &job, error))
        return postgres_is_lost(undo->execution.postgres) && lost(undo, &job, error);
    succeeded(undo, &job);
    return true;
}

static bool run_no_transaction(struct undo *undo, size_t at, struct error *error)
{
    const struct undo_step *step = &undo->plan->items[at];
    struct migration_result *item = &undo->result->items[at];
    struct job job = undo_plan_job(undo->plan, at, &undo->options->run);
    struct history_row row = {.version = step->version,
                              .state = step->state,
                              .statements_done = step->statements_done,
                              .statement_started = step->statement_started};
    AUTO(text_list_clear) struct text_list hashes = {0};
    if (!history_hashes(undo->history, step->version, &hashes, error))
        return false;
    AUTO(group_run_done)
    struct group_run run = {
        .version = step->version,
        .index = at,
        .script = step->script,
        .identity = &undo->identity,
        .backwards = true,
        .lock_timeout_ms = job.lock_timeout_ms,
        .statement_timeout_ms = job.statement_timeout_ms,
        .role = job.role,
        .result = item,
    };
    if (step->state == ROW_UNDOING)
        groups_resume(&run, &row);
    else
        run.put_back = history_put_back(undo->history, &row, &hashes);
    if (!groups_run(&undo->execution, &run, error))
        return false;
    item->state = RUN_STATE_ROLLED_BACK;
    undo->result->done++;
    execution_tell(&undo->execution, (struct run_event){.type = RUN_DONE, .ms = item->execution_ms});
    return true;
}

/* A script without a transaction has logged its failure itself. */
static void log_failure(struct undo *undo, size_t at, const struct error *failure)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(history_statement_free)
    struct history_statement *statement =
        history_undo_fail(undo->history, &undo->identity, undo->plan->items[at].version, failure->message);
    struct postgres *postgres = undo->execution.postgres;
    if (undo->result->items[at].bare)
        return;
    if (postgres_is_lost(postgres)) {
        settle_log(&undo->execution, &undo->identity, undo->plan->items[at].version, failure);
        return;
    }
    postgres_shield(postgres, true);
    if (!session_reset(postgres, &undo->options->run, &ignored) ||
        !history_write(undo->history, statement, 0, &ignored))
        error_clear(&ignored);
    postgres_shield(postgres, false);
}

/* Where the same command would go back further than was asked for, the right one is told. */
static bool stopped(struct undo *undo, struct error *error)
{
    bool lost_it = postgres_is_lost(undo->execution.postgres);
    if (!lost_it && (undo->options->to != NULL || undo->result->done == 0))
        return false;
    OWNED char *again = undo_plan_again(undo->plan, undo->result->done, undo->options);
    return error_hint_more(error, again);
}

static bool run_all(struct undo *undo, struct error *error)
{
    for (size_t at = 0; at < undo->plan->count; at++) {
        if (interrupt_signal() != 0) {
            interrupt_error(error);
            return stopped(undo, error);
        }
        const struct script *script = undo->plan->items[at].script;
        if (script->transactional ? run_transactional(undo, at, error) : run_no_transaction(undo, at, error))
            continue;
        stopped(undo, error);
        if (undo->result->items[at].state == RUN_STATE_ROLLED_BACK) /* only the connection failed */
            return false;
        undo->result->items[at].state = RUN_STATE_FAILED;
        log_failure(undo, at, error);
        execution_tell(&undo->execution, (struct run_event){.type = RUN_FAILED});
        return false;
    }
    return true;
}

static void list_results(struct undo *undo)
{
    run_new_id(undo->result->run_id);
    undo->identity.run_id = undo->result->run_id;
    undo->result->items = memory_allocate(undo->plan->count, sizeof *undo->result->items);
    undo->result->count = undo->plan->count;
    for (size_t i = 0; i < undo->plan->count; i++) {
        const struct undo_step *step = &undo->plan->items[i];
        bool half_run = history_row_is_half_run(&(struct history_row){.state = step->state});
        undo->result->items[i].version = text_copy(step->version);
        undo->result->items[i].before = half_run ? "failed" : "applied";
    }
}

static void set_states(struct undo *undo, enum run_state state)
{
    for (size_t i = 0; i < undo->plan->count; i++)
        undo->result->items[i].state = state;
}

static void tell(struct undo *undo, const struct undo_step *step, const char *text)
{
    run_emit(undo->execution.listener,
             &(struct run_event){.type = RUN_NOTICE, .version = step->version, .text = text});
}

static void tell_about_scripts(struct undo *undo)
{
    for (size_t i = 0; i < undo->plan->count; i++) {
        const struct undo_step *step = &undo->plan->items[i];
        if (step->script->count == 0)
            tell(undo, step, "its rollback script has no statements");
        if (step->difference == NULL)
            continue;
        OWNED char *text = text_format("its rollback file differs from the stored text, which is what runs "
                                       "(--use=file runs the file):\n%s",
                                       step->difference);
        tell(undo, step, text);
    }
}

static bool is_half_done(const struct undo_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].state == ROW_UNDOING)
            return true;
    return false;
}

/* A trial that fails is the end of the run; it failed where the trial has stopped. */
static bool try_all(struct undo *undo, struct dataloss **ret_dataloss, struct data_losses *ret_losses,
                    struct error *error)
{
    struct trial trial = {.execution = &undo->execution,
                          .history = undo->history,
                          .identity = &undo->identity,
                          .plan = undo->plan,
                          .options = &undo->options->run,
                          .result = undo->result,
                          .quiet = !undo->options->dry_run};
    bool good = trial_run(&trial, ret_dataloss, ret_losses, error);
    if (!good || !undo->options->dry_run)
        set_states(undo, RUN_STATE_PENDING);
    if (good || undo->options->dry_run)
        return good;
    error_hint_more(error,
                    is_half_done(undo->plan)
                        ? "Nothing more was rolled back: it was tried first, in a transaction that was "
                          "undone; what an earlier run has done stays."
                        : "Nothing was rolled back: it was tried first, in a transaction that was undone.");
    if (undo->history->shape == HISTORY_OURS) /* another table has no log yet */
        log_failure(undo, undo->execution.now.index, error);
    return false;
}

/* What was found to lose nothing must still lose nothing when it is done. */
static bool run_guarded(struct undo *undo, struct dataloss *dataloss, struct data_losses *ret_losses,
                        struct error *error)
{
    AUTO(guard_done) struct guard guard = {0};
    struct run_options guarded = undo->options->run;
    if (undo->options->accept_data_loss)
        return run_all(undo, error);
    guard_begin(&guard, dataloss);
    guarded.watch = &guard.watch;
    undo->execution.options = &guarded;
    bool good = run_all(undo, error);
    undo->execution.options = &undo->options->run;
    *ret_losses = guard.losses;
    guard.losses = (struct data_losses){0};
    return good;
}

static bool run_plan(struct undo *undo, struct data_losses *ret_losses, struct error *error)
{
    AUTO(dataloss_free) struct dataloss *dataloss = NULL;
    list_results(undo);
    set_states(undo, RUN_STATE_PENDING);
    tell_about_scripts(undo);
    execution_begin(&undo->execution);
    bool good = try_all(undo, &dataloss, ret_losses, error);
    if (good && !undo->options->dry_run)
        good =
            (ret_losses->count == 0 || undo->options->accept_data_loss || guard_refuse(ret_losses, error)) &&
            (undo->history->shape == HISTORY_OURS || history_prepare(undo->history, error)) &&
            run_guarded(undo, dataloss, ret_losses, error);
    execution_done(&undo->execution);
    return good;
}

static bool run_locked(struct postgres *postgres, struct history *history, const struct folder *folder,
                       const struct undo_options *options, struct undo *undo, struct data_losses *ret_losses,
                       struct error *error)
{
    AUTO(undo_plan_clear) struct undo_plan plan = {0};
    if (history->count == 0)
        return true;
    if (!undo_plan_make(history, folder, options, &plan, error))
        return false;
    undo->plan = &plan;
    undo->execution.postgres = postgres;
    undo->execution.total = plan.count;
    return plan.count == 0 || run_plan(undo, ret_losses, error);
}

bool undo_is_idle(const struct history *history, bool *ret_idle, struct error *error)
{
    OWNED char *holder = NULL;
    bool empty =
        history->count == 0 && history->shape != HISTORY_FOREIGN && history->shape != HISTORY_UNUSABLE;
    if (empty && !session_lock_holder(history->postgres, history, &holder, error))
        return false;
    *ret_idle = empty && holder == NULL;
    return true;
}

bool undo_run(struct postgres *postgres, struct history *history, const struct folder *folder,
              const struct undo_options *options, const struct run_listener *listener,
              struct data_losses *ret_losses, struct run_result *ret_result, struct error *error)
{
    if (history->shape == HISTORY_FOREIGN || history->shape == HISTORY_UNUSABLE)
        return history_refuse(history, error);
    AUTO(session_clear) struct session session = {0};
    if (!session_open(history, &options->run, listener, &session, error))
        return false;
    struct undo undo = {
        .execution = {.session = &session,
                      .history = history,
                      .options = &options->run,
                      .listener = listener,
                      .backwards = true},
        .options = options,
        .identity = {.tool_version = PGMIGRATE_VERSION,
                     .git_commit = options->run.git_commit,
                     .backup_id = options->run.backup_id,
                     .reason = options->run.reason},
        .history = history,
        .result = ret_result,
    };
    bool good = run_locked(postgres, history, folder, options, &undo, ret_losses, error);
    session_unlock(postgres, history);
    return good;
}
