/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/undo.h"

#include "common/interrupt.h"
#include "migrator/groups.h"
#include "migrator/retry.h"
#include "migrator/session.h"
#include "migrator/settle.h"
#include "rollback/undo_plan.h"
#include "sql.h"

struct undo {
    struct execution execution;
    const struct undo_options *options;
    struct run_identity identity;
    struct history *history;
    struct undo_plan *plan;
    struct run_result *result;
};

static int64_t given(int64_t directive_ms, int64_t option_ms)
{
    return directive_ms >= 0 ? directive_ms : option_ms;
}

static struct job make_job(const struct undo *undo, size_t at)
{
    const struct undo_step *step = &undo->plan->items[at];
    return (struct job){
        .version = step->row->version,
        .index = at,
        .script = step->script,
        .count = step->script->count,
        .begin = step->script->begin,
        .lock_timeout_ms = given(step->directives.lock_timeout_ms, undo->options->run.lock_timeout_ms),
        .statement_timeout_ms =
            given(step->directives.statement_timeout_ms, undo->options->run.statement_timeout_ms),
        .role = step->directives.role,
        .durable = true,
    };
}

/* ---- the trial ---- */

/* In a no-transaction script, what can run in a transaction is tried; what cannot is left out. */
static bool try_groups(struct undo *undo, struct job *job, struct error *error)
{
    const struct script *script = job->script;
    for (size_t i = 0; i < script->group_count; i++) {
        if (script->groups[i].bare)
            continue;
        size_t done = 0;
        job->first = script->groups[i].first;
        job->count = script->groups[i].count;
        if (!execute_jobs(&undo->execution, job, 1, 1, &done, error))
            return false;
    }
    return true;
}

static bool try_scripts(struct undo *undo, struct dataloss *dataloss, struct error *error)
{
    for (size_t i = 0; i < undo->plan->count; i++) {
        AUTO(job_done) struct job job = make_job(undo, i);
        size_t done = 0;
        bool good = job.script->transactional ? execute_jobs(&undo->execution, &job, 1, 1, &done, error)
                                              : try_groups(undo, &job, error);
        if (!good)
            return false;
        /* The script may have changed the role; the comparison needs to see everything. */
        if (!postgres_execute(undo->execution.postgres, sql_reset_authorization, error) ||
            !dataloss_step(dataloss, undo->plan->items[i].row->version, error))
            return false;
    }
    return true;
}

static bool trial(struct undo *undo, struct data_losses *ret_losses, struct error *error)
{
    AUTO(dataloss_free) struct dataloss *dataloss = NULL;
    AUTO(error_clear) struct error ignored = {0};
    struct postgres *postgres = undo->execution.postgres;
    if (!postgres_execute(postgres, sql_begin, error))
        return false;
    undo->execution.dry_run = true;
    bool good =
        dataloss_begin(postgres, undo->history, &dataloss, error) && try_scripts(undo, dataloss, error);
    undo->execution.dry_run = false;
    postgres_shield(postgres, true);
    if (!postgres_is_lost(postgres) && !postgres_execute(postgres, sql_rollback, &ignored) && good) {
        error_move(error, &ignored);
        good = false;
    }
    postgres_shield(postgres, false);
    return good && session_reset(postgres, &undo->options->run, error) &&
           dataloss_count(dataloss, ret_losses, error);
}

/* The trial takes the same locks as the real thing, so it makes room and tries again in the same way. */
static bool trial_with_retries(struct undo *undo, struct data_losses *ret_losses, struct error *error)
{
    struct run_options run = undo->options->run;
    struct undo_options options = *undo->options;
    const struct undo_options *given_options = undo->options;
    int64_t deadline = clock_ms() + run.max_wait_ms;
    bool good = false, again = true;
    undo->options = &options;
    for (size_t attempt = 0; !good && again; attempt++) {
        AUTO(error_clear) struct error failure = {0};
        options.run.lock_timeout_ms = retry_lock_timeout(attempt, run.lock_timeout_ms);
        good = trial(undo, ret_losses, &failure);
        again = !good && retry_makes_sense(&failure) && !postgres_is_lost(undo->execution.postgres) &&
                retry_wait(&undo->execution, attempt, options.run.lock_timeout_ms, deadline, &failure);
        if (!good && !again)
            error_move(error, &failure);
    }
    undo->options = given_options;
    return good;
}

static bool losses_accepted(const struct undo *undo, const struct data_losses *losses, struct error *error)
{
    if (losses->count == 0 || undo->options->accept_data_loss)
        return true;
    error_set(error, ERROR_REFUSED, "rolling back would lose data");
    const struct data_loss *first = &losses->items[0];
    OWNED char *count =
        text_format("%s%lld %s%s", first->at_least ? "at least " : "", (long long)first->rows,
                    first->kind == LOSS_COLUMN ? "value" : "row", first->rows == 1 ? "" : "s");
    const char *more = losses->count > 1 ? ", and there is more" : "";
    if (first->kind == LOSS_ROWS)
        error_detail(error, "%s of %s would be deleted%s.", count, first->object, more);
    else
        error_detail(error, "%s %s holds %s%s.", first->kind == LOSS_TABLE ? "Table" : "Column",
                     first->object, count, more);
    return error_hint(error, "Nothing was changed. Take a backup, then give --accept-data-loss.");
}

/* ---- the real thing ---- */

static bool lost(struct undo *undo, const struct job *job, struct error *error)
{
    size_t committed = 0;
    AUTO(error_clear) struct error gone = {0};
    error_move(&gone, error);
    enum settled settled =
        settle(&undo->execution, undo->identity.run_id, job, job->commit_sent ? 1 : 0, true, &committed);
    if (settled == SETTLED_COMMITTED && job->commit_sent) {
        struct migration_result *item = &undo->result->items[job->index];
        item->state = RUN_STATE_ROLLED_BACK;
        undo->result->done++;
        if (undo->result->done == undo->result->count)
            return true;
        error_move(error, &gone);
        error_prefix(error, "the connection was lost after the rollback of \"%s\" was committed",
                     job->version);
        return error_hint(error, "Run the command again for the rest.");
    }
    return settle_error(settled == SETTLED_COMMITTED ? SETTLED_UNDONE : settled, job, &gone, error);
}

static bool run_transactional(struct undo *undo, size_t at, struct error *error)
{
    const struct undo_step *step = &undo->plan->items[at];
    struct migration_result *item = &undo->result->items[at];
    AUTO(job_done) struct job job = make_job(undo, at);
    job.verify = step->verify;
    job.whole = true;
    job.result = item;
    job.record = history_forget(undo->history, &undo->identity, step->row->version);
    if (!execute_with_retries(&undo->execution, &job, error))
        return postgres_is_lost(undo->execution.postgres) && lost(undo, &job, error);
    item->state = RUN_STATE_ROLLED_BACK;
    item->execution_ms = job.execution_ms;
    item->attempts = job.attempts;
    undo->result->done++;
    return true;
}

static bool run_no_transaction(struct undo *undo, size_t at, struct error *error)
{
    const struct undo_step *step = &undo->plan->items[at];
    struct migration_result *item = &undo->result->items[at];
    struct group_run run = {
        .version = step->row->version,
        .index = at,
        .script = step->script,
        .identity = &undo->identity,
        .lock_timeout_ms = given(step->directives.lock_timeout_ms, undo->options->run.lock_timeout_ms),
        .statement_timeout_ms =
            given(step->directives.statement_timeout_ms, undo->options->run.statement_timeout_ms),
        .role = step->directives.role,
        .result = item,
    };
    item->attempts = 1;
    undo->execution.now.version = run.version;
    undo->execution.now.index = at;
    undo->execution.now.script = step->script;
    undo->execution.now.statement = NULL;
    execution_tell(&undo->execution, (struct run_event){.type = RUN_BEGIN});
    if (!session_reset(undo->execution.postgres, &undo->options->run, error) ||
        !groups_run(&undo->execution, &run, error))
        return false;
    AUTO(history_statement_free)
    struct history_statement *forget = history_forget(undo->history, &undo->identity, step->row->version);
    if (!postgres_query(undo->execution.postgres, forget->sql, forget->count, forget->values, NULL, error))
        return false;
    item->state = RUN_STATE_ROLLED_BACK;
    undo->result->done++;
    execution_tell(&undo->execution, (struct run_event){.type = RUN_DONE, .ms = item->execution_ms});
    return true;
}

static bool run_all(struct undo *undo, struct error *error)
{
    for (size_t at = 0; at < undo->plan->count; at++) {
        if (interrupt_signal() != 0)
            return interrupt_error(error);
        const struct script *script = undo->plan->items[at].script;
        if (script->transactional ? run_transactional(undo, at, error) : run_no_transaction(undo, at, error))
            continue;
        undo->result->items[at].state = RUN_STATE_FAILED;
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
    for (size_t i = 0; i < undo->plan->count; i++)
        undo->result->items[i] =
            (struct migration_result){.version = text_copy(undo->plan->items[i].row->version),
                                      .state = undo->options->dry_run ? RUN_STATE_TRIED : RUN_STATE_PENDING};
}

static void tell_differences(struct undo *undo)
{
    for (size_t i = 0; i < undo->plan->count; i++) {
        const struct undo_step *step = &undo->plan->items[i];
        if (step->difference == NULL)
            continue;
        OWNED char *text =
            text_format("the rollback file of \"%s\" differs from the stored text, which is what runs "
                        "(--use=file runs the file):\n%s",
                        step->row->version, step->difference);
        run_emit(undo->execution.listener,
                 &(struct run_event){.type = RUN_NOTICE, .version = step->row->version, .text = text});
    }
}

static bool run_plan(struct undo *undo, struct data_losses *ret_losses, struct error *error)
{
    list_results(undo);
    tell_differences(undo);
    bool good = execution_begin(&undo->execution, error) && trial_with_retries(undo, ret_losses, error);
    good = good &&
           (undo->options->dry_run || (losses_accepted(undo, ret_losses, error) && run_all(undo, error)));
    execution_done(&undo->execution);
    return good;
}

static bool run_locked(struct postgres *postgres, struct history *history, const struct folder *folder,
                       const struct undo_options *options, struct undo *undo, struct data_losses *ret_losses,
                       struct error *error)
{
    AUTO(undo_plan_clear) struct undo_plan plan = {0};
    if (!history_refresh(history, error) || !undo_plan_make(history, folder, options, &plan, error))
        return false;
    undo->plan = &plan;
    undo->execution.postgres = postgres;
    undo->execution.total = plan.count;
    return plan.count == 0 || run_plan(undo, ret_losses, error);
}

bool undo_run(struct postgres *postgres, struct history *history, const struct folder *folder,
              const struct undo_options *options, const struct run_listener *listener,
              struct data_losses *ret_losses, struct run_result *ret_result, struct error *error)
{
    if (history->shape != HISTORY_OURS && history->shape != HISTORY_ABSENT && !history->count) {
        error_set(error, ERROR_CONFLICT, "the history table is not pgmigrate's");
        return error_hint(error, "%s", history->reason);
    }
    if (history->count == 0)
        return true;
    if (!session_check(postgres, false, options->run.pooler_session, error) ||
        !session_begin(postgres, &options->run, error) ||
        !session_lock(postgres, history, &options->run, listener, error))
        return false;
    struct undo undo = {
        .execution = {.history = history, .options = &options->run, .listener = listener},
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
