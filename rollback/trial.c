/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/trial.h"

#include "common/interrupt.h"
#include "migrator/retry.h"
#include "migrator/session.h"
#include "sql.h"
#include <string.h>

/* One attempt. */
struct attempt {
    const struct trial *trial;
    struct run_options options; /* with this attempt's lock timeout */
    struct dataloss *dataloss;
    size_t number;   /* 1 for the first */
    size_t left_out; /* statements that could not be tried */
};

static void attempt_done(struct attempt *attempt)
{
    dataloss_free(attempt->dataloss);
}
CLEANUP_VALUE(struct attempt, attempt_done)

static struct postgres *connection(const struct attempt *attempt)
{
    return attempt->trial->execution->postgres;
}

/* ---- what cannot be tried ---- */

static char *place(const struct undo_step *step, const struct statement *statement)
{
    return text_format("%s:%zu: %s", step->source.path, statement->line,
                       statement->what != NULL ? statement->what : statement->text);
}

/* Of the statements that run in no transaction, this one alone destroys data. */
static void leave_out(struct attempt *attempt, const struct undo_step *step,
                      const struct statement *statement)
{
    attempt->left_out++;
    if (statement->what == NULL || strcmp(statement->what, "DROP DATABASE") != 0)
        return;
    OWNED char *what = place(step, statement);
    dataloss_unknown(attempt->dataloss, step->version, what, "another database cannot be looked into");
}

/* A failure after something was left out may be due to that. */
static bool proves_nothing(struct attempt *attempt, const struct undo_step *step, struct error *error)
{
    if (attempt->left_out == 0 || *error->sqlstate == '\0' || retry_makes_sense(error) ||
        postgres_is_lost(connection(attempt)))
        return false;
    OWNED char *what = text_format("%s from line %zu on", step->source.path, error->line);
    OWNED char *problem = text_format("it could not be tried without the statements before it that run in no "
                                      "transaction: %s",
                                      error->message);
    dataloss_unknown(attempt->dataloss, step->version, what, problem);
    error_clear(error);
    return true;
}

/* ---- the scripts ---- */

static bool try_part(struct attempt *attempt, struct job *job, size_t first, size_t count,
                     struct error *error)
{
    size_t done = 0;
    job->first = first;
    job->count = count;
    return execute_jobs(attempt->trial->execution, job, 1, 1, &done, error);
}

/* CALL and DO are tried: only when they want to commit they cannot. */
static bool try_call(struct attempt *attempt, const struct undo_step *step, struct job *job, size_t at,
                     struct error *error)
{
    if (!postgres_execute(connection(attempt), sql_savepoint, error))
        return false;
    if (try_part(attempt, job, at, 1, error))
        return true;
    if (strcmp(error->sqlstate, "2D000") != 0)
        return false;
    error_clear(error);
    attempt->left_out++;
    OWNED char *what = place(step, &step->script->items[at]);
    dataloss_unknown(attempt->dataloss, step->version, what,
                     "it commits transactions of its own and cannot be tried");
    return postgres_execute(connection(attempt), sql_savepoint_back, error);
}

static bool try_groups(struct attempt *attempt, const struct undo_step *step, struct job *job,
                       struct error *error)
{
    const struct script *script = step->script;
    size_t done = step->state == ROW_UNDOING && step->statements_done > 0 ? (size_t)step->statements_done : 0;
    for (size_t i = 0; i < script->group_count; i++) {
        const struct statement_group *group = &script->groups[i];
        const struct statement *statement = &script->items[group->first];
        bool good = true;
        if (group->first + group->count <= done)
            continue;
        if (!group->bare)
            good = try_part(attempt, job, group->first, group->count, error);
        else if (statement->kind == STATEMENT_MAY_COMMIT)
            good = try_call(attempt, step, job, group->first, error);
        else
            leave_out(attempt, step, statement);
        if (!good)
            return false;
    }
    return true;
}

static bool try_script(struct attempt *attempt, size_t at, struct error *error)
{
    const struct trial *trial = attempt->trial;
    const struct undo_step *step = &trial->plan->items[at];
    struct migration_result *item = &trial->result->items[at];
    size_t left_out = attempt->left_out;
    int64_t began = clock_ms();
    AUTO(job_done) struct job job = undo_plan_job(trial->plan, at, &attempt->options);
    if (!trial->quiet) { /* else the real run counts */
        job.result = item;
        item->statement_count = 0;
        item->attempts = attempt->number;
    }
    if (step->script->transactional)
        job.record = history_forget(trial->history, trial->identity, step->version, at, -1);
    if (!(step->script->transactional ? try_part(attempt, &job, 0, job.count, error)
                                      : try_groups(attempt, step, &job, error)))
        return false;
    item->execution_ms = clock_ms() - began;
    item->state = attempt->left_out > left_out ? RUN_STATE_UNTRIED : RUN_STATE_TRIED;
    OWNED char *role = session_role(trial->options);
    return postgres_execute(connection(attempt), sql_reset_authorization, error) &&
           postgres_execute(connection(attempt), role, error) &&
           dataloss_step(attempt->dataloss, step->version, error);
}

static bool try_scripts(struct attempt *attempt, struct error *error)
{
    const struct undo_plan *plan = attempt->trial->plan;
    for (size_t i = 0; i < plan->count; i++)
        attempt->trial->result->items[i].state = RUN_STATE_UNTRIED;
    for (size_t i = 0; i < plan->count; i++)
        if (!try_script(attempt, i, error))
            return proves_nothing(attempt, &plan->items[i], error);
    return true;
}

/* ---- the transaction ---- */

static bool undo_transaction(struct attempt *attempt, struct error *error)
{
    struct postgres *postgres = connection(attempt);
    postgres_shield(postgres, true);
    bool good = postgres_is_lost(postgres) || postgres_execute(postgres, sql_rollback, error);
    postgres_shield(postgres, false);
    return good;
}

/* The history as it would be; one that was there first is adopted by the real run only. */
static bool in_transaction(struct attempt *attempt, struct error *error)
{
    const struct trial *trial = attempt->trial;
    if (trial->history->shape != HISTORY_OURS && !history_prepare(trial->history, error))
        return false;
    return dataloss_begin(connection(attempt), trial->history, &attempt->dataloss, error) &&
           try_scripts(attempt, error);
}

static bool count(struct attempt *attempt, struct data_losses *ret_losses, struct error *error)
{
    OWNED char *value = text_format("%lldms", (long long)attempt->options.lock_timeout_ms);
    OWNED char *timeout =
        postgres_bind(sql_set_lock_timeout, (struct postgres_name[]){{"value", value}, {0}});
    AUTO(error_clear) struct error ignored = {0};
    if (!postgres_execute(connection(attempt), sql_begin, error))
        return false;
    bool good = postgres_execute(connection(attempt), timeout, error) &&
                dataloss_count(attempt->dataloss, ret_losses, error);
    return undo_transaction(attempt, good ? error : &ignored) && good;
}

static bool try_once(struct attempt *attempt, struct data_losses *ret_losses, struct error *error)
{
    const struct trial *trial = attempt->trial;
    AUTO(error_clear) struct error ignored = {0};
    if (!postgres_execute(connection(attempt), sql_begin, error))
        return false;
    trial->execution->dry_run = true;
    bool adopts = trial->history->shape != HISTORY_OURS;
    bool good = in_transaction(attempt, error);
    trial->execution->dry_run = false;
    trial->execution->leaves = LEAVES_ALL;
    good = undo_transaction(attempt, good ? error : &ignored) && good;
    return good && session_reset(connection(attempt), trial->options, error) &&
           (!adopts || history_refresh(trial->history, error)) && count(attempt, ret_losses, error);
}

/* ---- what is told ---- */

static void on_event(void *context, const struct run_event *event)
{
    if (event->notice == NULL && event->type != RUN_ECHO)
        run_emit(context, event);
}

bool trial_run(const struct trial *trial, struct dataloss **ret_dataloss, struct data_losses *ret_losses,
               struct error *error)
{
    const struct run_listener *listener = trial->execution->listener;
    struct run_listener quiet = {.context = (void *)(uintptr_t)listener, .event = on_event};
    int64_t limit = trial->options->lock_timeout_ms, deadline = clock_ms() + trial->options->max_wait_ms;
    bool good = false, again = true;
    if (trial->quiet)
        trial->execution->listener = &quiet;
    for (size_t number = 0; !good && again; number++) {
        AUTO(error_clear) struct error failure = {0};
        AUTO(attempt_done)
        struct attempt attempt = {.trial = trial, .options = *trial->options, .number = number + 1};
        attempt.options.lock_timeout_ms = retry_lock_timeout(number, limit);
        good = try_once(&attempt, ret_losses, &failure);
        again = !good && retry_makes_sense(&failure) && !postgres_is_lost(connection(&attempt)) &&
                retry_wait(trial->execution, number, attempt.options.lock_timeout_ms, deadline, &failure);
        if (good)
            *ret_dataloss = take(attempt.dataloss);
        if (!good && !again)
            error_move(error, &failure);
    }
    trial->execution->listener = listener;
    return good;
}
