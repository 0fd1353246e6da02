/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/apply.h"

#include "common/interrupt.h"
#include "migrator/groups.h"
#include "migrator/index_build.h"
#include "migrator/prepare.h"
#include "migrator/retry.h"
#include "migrator/session.h"
#include "migrator/settle.h"
#include "sql.h"
#include <string.h>

/* One call of apply_run, under the run lock. */
struct apply {
    struct execution execution;
    const struct apply_options *options;
    struct run_identity identity;
    struct history *history;
    const struct prepared_list *prepared;
    struct run_result *result;
};

/* What is in the way of the statements that are still to run; what the last one began is its own. */
static bool foresee(const struct prepared *prepared, struct postgres *postgres, struct findings *notices,
                    struct error *error)
{
    struct group_run run = {0};
    if (prepared->entry->row != NULL)
        groups_resume(&run, prepared->entry->row);
    for (size_t i = run.done + run.started; i < prepared->script->count; i++)
        if (!index_build_foresee(postgres, prepared->script, &prepared->script->items[i], notices, error))
            return false;
    return true;
}

bool apply_preflight(const struct plan_steps *steps, const struct history *history,
                     const struct text_list *settings, struct findings *ret_notices, struct error *error)
{
    AUTO(prepared_clear) struct prepared_list list = {0};
    if (!prepare_steps(steps, history, settings, &list, error))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const struct findings *notices = &list.items[i].script->notices;
        for (size_t n = 0; n < notices->count; n++) {
            const struct finding *from = &notices->items[n];
            struct finding *to =
                finding_add(ret_notices, from->rule, from->severity, from->file, "%s", from->message);
            finding_at(to, from->line, from->column);
            if (from->hint != NULL)
                finding_hint(to, "%s", from->hint);
        }
        if (!foresee(&list.items[i], history->postgres, ret_notices, error))
            return false;
    }
    return true;
}

/* ---- the record of what happened ---- */

static void note(struct apply *apply, const char *text)
{
    execution_tell(&apply->execution, (struct run_event){.type = RUN_NOTICE, .text = text});
}

/*
 * The failure goes to the log. Its COMMIT waits for the disk, and with it those of the migrations before,
 * which did not wait.
 */
static void log_failure(struct apply *apply, const char *version, const struct error *failure)
{
    AUTO(error_clear) struct error problem = {0};
    if (apply->options->dry_run)
        return;
    if (postgres_is_lost(apply->execution.postgres)) {
        settle_log(&apply->execution, &apply->identity, version, failure);
        return;
    }
    AUTO(history_statement_free)
    struct history_statement *statement =
        history_fail(apply->history, &apply->identity, version, failure->message);
    postgres_shield(apply->execution.postgres, true);
    bool logged = session_reset(apply->execution.postgres, &apply->options->run, &problem) &&
                  history_write(apply->history, statement, 0, &problem);
    postgres_shield(apply->execution.postgres, false);
    if (!logged) {
        OWNED char *text = text_format("the failure could not be written to the log: %s", problem.message);
        note(apply, text);
    }
}

static bool failed(struct apply *apply, size_t at, const struct error *error)
{
    struct migration_result *item = &apply->result->items[at];
    item->state = RUN_STATE_FAILED;
    apply->execution.now.version = item->version; /* of a batch, another one may have been told of last */
    execution_tell(&apply->execution, (struct run_event){.type = RUN_FAILED});
    log_failure(apply, item->version, error);
    return false;
}

static void succeeded(struct apply *apply, size_t at, const struct job *job)
{
    struct migration_result *item = &apply->result->items[at];
    item->state = apply->options->dry_run ? RUN_STATE_TRIED : RUN_STATE_APPLIED;
    item->execution_ms = job->execution_ms;
    item->attempts = job->attempts;
    apply->result->done++;
}

/* ---- transactional migrations ---- */

static int64_t given(int64_t directive_ms, int64_t option_ms)
{
    return directive_ms >= 0 ? directive_ms : option_ms;
}

static void make_job(struct apply *apply, size_t at, struct job *ret)
{
    const struct prepared *prepared = &apply->prepared->items[at];
    const struct migration *migration = prepared->entry->migration;
    const struct directives *directives = &migration->directives;
    *ret = (struct job){
        .version = migration->version.stem,
        .index = at,
        .script = prepared->script,
        .count = prepared->script->count,
        .begin = prepared->script->begin,
        .verify = prepared->verify,
        .lock_timeout_ms = given(directives->lock_timeout_ms, apply->options->run.lock_timeout_ms),
        .statement_timeout_ms =
            given(directives->statement_timeout_ms, apply->options->run.statement_timeout_ms),
        .role = directives->role,
        .verify_statement_timeout_ms =
            given(directives->statement_timeout_ms, apply->options->run.statement_timeout_ms),
        .verify_role = directives->role,
        .durable = at + 1 == apply->prepared->count,
        .unlock = at + 1 == apply->prepared->count && !apply->options->dry_run,
        .whole = true,
        .result = &apply->result->items[at],
    };
    ret->record = history_record(apply->history, &apply->identity, migration,
                                 prepared->entry->state == PLAN_OUT_OF_ORDER);
}

/* The connection is gone and commits were under way: those that the server confirms count as applied. */
static bool settle_jobs(struct apply *apply, struct job *jobs, size_t count, struct error *error)
{
    size_t in_flight = 0, committed = 0;
    while (in_flight < count && jobs[in_flight].commit_sent)
        in_flight++;
    enum settled settled =
        settle(&apply->execution,
               &(struct settle_question){.run_id = apply->identity.run_id, .jobs = jobs, .count = in_flight},
               &committed);
    for (size_t i = 0; i < committed; i++) {
        execute_confirm(&apply->execution, &jobs[i]);
        succeeded(apply, jobs[i].index, &jobs[i]);
    }
    if (settled == SETTLED_COMMITTED && committed == count) {
        note(apply, "COMMIT is confirmed after reconnecting");
        if (apply->result->done == apply->result->count)
            return true;
        error_prefix(error, "the connection was lost after \"%s\" was committed", jobs[count - 1].version);
        return error_hint(error, "Run the same command again to apply the rest.");
    }
    AUTO(error_clear) struct error lost = {0};
    error_move(&lost, error);
    const struct job *first = &jobs[committed < count ? committed : count - 1];
    settle_error(settled == SETTLED_COMMITTED ? SETTLED_UNDONE : settled, first, &lost, error);
    failed(apply, first->index, error);
    return error_hint_more(error, "Running the same command again is safe.");
}

static bool run_jobs(struct apply *apply, struct job *jobs, size_t count, struct error *error)
{
    size_t done = 0;
    while (done < count) {
        AUTO(error_clear) struct error failure = {0};
        size_t now = 0;
        bool good = count - done > 1 && execute_jobs(&apply->execution, jobs + done, count - done,
                                                     apply->options->batch, &now, &failure);
        for (size_t i = done; i < done + now; i++)
            succeeded(apply, jobs[i].index, &jobs[i]);
        done += now;
        bool single =
            count - done == 1 ||
            (!good && (retry_makes_sense(&failure) || execute_forgotten(&apply->execution, &failure)));
        if (done < count && single && !postgres_is_lost(apply->execution.postgres)) {
            error_clear(&failure);
            good = execute_with_retries(&apply->execution, &jobs[done], &failure);
            if (good)
                succeeded(apply, jobs[done].index, &jobs[done]);
            done += good ? 1 : 0;
        }
        if (good ||
            done == count) /* a connection lost after the last answer is noticed by whoever comes next */
            continue;
        error_move(error, &failure);
        if (postgres_is_lost(apply->execution.postgres))
            return settle_jobs(apply, jobs + done, count - done, error);
        return failed(apply, jobs[done].index, error);
    }
    return true;
}

/* How many migrations from at on may be in flight together: plain ones, up to the next that is not. */
static size_t batch_length(const struct apply *apply, const struct job *first, size_t at)
{
    size_t count = 1;
    if (apply->options->batch <= 1 || apply->options->dry_run || execution_is_watched(&apply->execution) ||
        !execute_in_batch(first->script, first->verify))
        return count;
    for (; at + count < apply->prepared->count; count++) {
        const struct prepared *next = &apply->prepared->items[at + count];
        if (!execute_in_batch(next->script, next->verify))
            break;
    }
    return count;
}

static bool run_transactional(struct apply *apply, size_t at, size_t *ret_next, struct error *error)
{
    struct job first;
    make_job(apply, at, &first);
    size_t count = batch_length(apply, &first, at);
    OWNED struct job *jobs = memory_allocate(count, sizeof *jobs);
    jobs[0] = first;
    for (size_t i = 1; i < count; i++)
        make_job(apply, at + i, &jobs[i]);
    bool good = run_jobs(apply, jobs, count, error);
    for (size_t i = 0; i < count; i++)
        job_done(&jobs[i]);
    *ret_next = at + count;
    return good;
}

/* ---- no-transaction migrations ---- */

static bool run_no_transaction(struct apply *apply, size_t at, struct error *error)
{
    const struct prepared *prepared = &apply->prepared->items[at];
    struct migration_result *item = &apply->result->items[at];
    const struct directives *directives = &prepared->entry->migration->directives;
    if (apply->options->dry_run) {
        item->state = RUN_STATE_UNTRIED;
        return true;
    }
    AUTO(text_list_clear) struct text_list hashes = groups_hashes(prepared->script);
    AUTO(group_run_done)
    struct group_run run = {
        .version = prepared->entry->version,
        .index = at,
        .script = prepared->script,
        .identity = &apply->identity,
        .begin = history_begin(apply->history, &apply->identity, prepared->entry->migration,
                               prepared->entry->state == PLAN_OUT_OF_ORDER, &hashes),
        .lock_timeout_ms = given(directives->lock_timeout_ms, apply->options->run.lock_timeout_ms),
        .statement_timeout_ms =
            given(directives->statement_timeout_ms, apply->options->run.statement_timeout_ms),
        .role = directives->role,
        .result = item,
    };
    if (prepared->entry->row != NULL)
        groups_resume(&run, prepared->entry->row);
    if (!groups_run(&apply->execution, &run, error)) {
        item->state = RUN_STATE_FAILED;
        execution_tell(&apply->execution, (struct run_event){.type = RUN_FAILED});
        return false;
    }
    item->state = RUN_STATE_APPLIED;
    apply->result->done++;
    apply->execution.now.statement = NULL;
    execution_tell(&apply->execution, (struct run_event){.type = RUN_DONE, .ms = item->execution_ms});
    return true;
}

/* ---- the run ---- */

static void tell_notices(struct apply *apply, const struct prepared *prepared)
{
    for (size_t i = 0; i < prepared->script->notices.count; i++) {
        const struct finding *finding = &prepared->script->notices.items[i];
        run_emit(apply->execution.listener, &(struct run_event){.type = RUN_NOTICE,
                                                                .version = prepared->entry->version,
                                                                .file = finding->file,
                                                                .line = finding->line,
                                                                .text = finding->message});
    }
}

static bool run_all(struct apply *apply, struct error *error)
{
    for (size_t i = 0; i < apply->prepared->count; i++)
        tell_notices(apply, &apply->prepared->items[i]);
    for (size_t at = 0; at < apply->prepared->count;) {
        if (interrupt_signal() != 0)
            return interrupt_error(error);
        if (!apply->prepared->items[at].script->transactional) {
            if (!run_no_transaction(apply, at++, error))
                return false;
        } else if (!run_transactional(apply, at, &at, error)) {
            return false;
        }
    }
    return true;
}

static bool run_dry(struct apply *apply, struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    struct postgres *postgres = apply->execution.postgres;
    if (!postgres_execute(postgres, sql_begin, error))
        return false;
    /* The history table too is only tried; what it is to the caller is looked at again afterwards. */
    bool good = (apply->history->shape == HISTORY_OURS || history_prepare(apply->history, error)) &&
                run_all(apply, error);
    postgres_shield(postgres, true);
    if (!postgres_is_lost(postgres) && !postgres_execute(postgres, sql_rollback, &ignored) && good) {
        error_move(error, &ignored);
        good = false;
    }
    postgres_shield(postgres, false);
    return good;
}

static void list_results(const struct plan_steps *steps, struct run_result *ret)
{
    run_new_id(ret->run_id);
    ret->items = memory_allocate(steps->count, sizeof *ret->items);
    ret->count = steps->count;
    for (size_t i = 0; i < steps->count; i++)
        ret->items[i] = (struct migration_result){.version = text_copy(steps->items[i]->version),
                                                  .state = RUN_STATE_PENDING};
}

static bool run_steps(struct apply *apply, const struct plan_steps *steps, struct error *error)
{
    AUTO(prepared_clear) struct prepared_list prepared = {0};
    bool dry_run = apply->options->dry_run;
    if (!prepare_steps(steps, apply->history, apply->options->run.settings, &prepared, error))
        return false;
    if (!dry_run && apply->options->before != NULL &&
        !apply->options->before(apply->options->before_context, steps, &apply->result->backup_id, error))
        return false;
    if (!dry_run && apply->history->shape != HISTORY_OURS && !history_prepare(apply->history, error))
        return false;
    list_results(steps, apply->result);
    apply->identity.run_id = apply->result->run_id;
    if (apply->result->backup_id != NULL)
        apply->identity.backup_id = apply->result->backup_id;
    apply->execution.total = steps->count;
    apply->prepared = &prepared;
    execution_begin(&apply->execution);
    bool good = dry_run ? run_dry(apply, error) : run_all(apply, error);
    execution_done(&apply->execution);
    return good;
}

/* The plan under the lock is the one that counts: another run may have finished since the first look. */
static bool run_locked(struct apply *apply, const struct folder *folder, struct error *error)
{
    AUTO(plan_free) struct plan *plan = NULL;
    AUTO(plan_steps_clear) struct plan_steps steps = {0};
    struct plan_target target = {.to = apply->options->to, .out_of_order = apply->options->out_of_order};
    return plan_make(folder, apply->history, &(struct plan_options){0}, &plan, error) &&
           plan_steps(plan, folder, apply->history, &target, &steps, error) &&
           (steps.count == 0 || run_steps(apply, &steps, error));
}

/* What there is to do as seen without the lock. notice: why that is nothing, where it may surprise; or NULL.
 */
struct outlook {
    bool nothing;
    char *notice;
    struct plan *plan;
};

static void outlook_clear(struct outlook *outlook)
{
    free(outlook->notice);
    plan_free(outlook->plan);
}
CLEANUP_VALUE(struct outlook, outlook_clear)

static bool look_ahead(struct history *history, const struct folder *folder,
                       const struct apply_options *options, struct outlook *ret, struct error *error)
{
    AUTO(plan_steps_clear) struct plan_steps steps = {0};
    struct plan_target target = {.to = options->to, .out_of_order = options->out_of_order};
    if (!plan_make(folder, history, &(struct plan_options){0}, &ret->plan, error) ||
        !plan_steps(ret->plan, folder, history, &target, &steps, error))
        return false;
    ret->nothing = steps.count == 0;
    ret->notice = take(steps.notice);
    return true;
}

static void tell(const struct run_listener *listener, const char *notice)
{
    struct run_event event = {.type = RUN_NOTICE, .text = notice};
    if (notice != NULL && listener != NULL && listener->event != NULL)
        listener->event(listener->context, &event);
}

/* Files that have changed in ways that are no reason to stop; the folder's own findings are told elsewhere.
 */
static void tell_drift(const struct run_listener *listener, const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (text_equal(finding->rule, "comments-changed") || text_equal(finding->rule, "rollback-changed"))
            run_emit(listener, &(struct run_event){.type = RUN_NOTICE,
                                                   .file = finding->file,
                                                   .text = finding->message,
                                                   .warning = finding->severity == SEVERITY_WARNING});
    }
}

bool apply_run(struct postgres *postgres, struct history *history, const struct folder *folder,
               const struct apply_options *options, const struct run_listener *listener,
               struct run_result *ret_result, struct error *error)
{
    AUTO(outlook_clear) struct outlook outlook = {0};
    if (!look_ahead(history, folder, options, &outlook, error))
        return false;
    tell_drift(listener, &outlook.plan->findings);
    ret_result->findings = outlook.plan->findings;
    outlook.plan->findings = (struct findings){0};
    tell(listener, outlook.notice);
    if (outlook.nothing)
        return true;
    AUTO(session_clear) struct session session = {0};
    if (!session_open(history, &options->run, listener, &session, error))
        return false;
    struct apply apply = {
        .execution = {.postgres = postgres,
                      .session = &session,
                      .history = history,
                      .options = &options->run,
                      .listener = listener,
                      .dry_run = options->dry_run},
        .options = options,
        .identity = {.tool_version = PGMIGRATE_VERSION,
                     .git_commit = options->run.git_commit,
                     .backup_id = options->run.backup_id,
                     .reason = options->run.reason},
        .history = history,
        .result = ret_result,
    };
    bool good = run_locked(&apply, folder, error);
    if (!apply.execution.unlocked)
        session_unlock(postgres, history);
    return good;
}
