/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/execute.h"

#include "common/copy.h"
#include "common/interrupt.h"
#include "migrator/execute_steps.h"
#include "migrator/session.h"
#include "sql.h"
#include <string.h>

#define STEPS_AHEAD 500

void job_done(struct job *job)
{
    execute_steps_free(job);
    free(take(job->xid));
    history_statement_free(take(job->record));
}

/* ---- answers ---- */

static void begin_step(struct execution *execution, const struct job *job, const struct step *step)
{
    execution->now.version = job->version;
    execution->now.index = job->index;
    execution->now.script = step->script != NULL ? step->script : job->script;
    execution->now.statement = step->statement;
    execution->now.lock_timeout_ms = job->lock_timeout_ms;
    if (step->kind == STEP_STATEMENT)
        execution_echo(execution, job->script, (size_t)(step->statement - job->script->items) + 1);
    if (step->kind == STEP_STATEMENT || step->kind == STEP_VERIFY)
        execution_tell(execution,
                       (struct run_event){.type = RUN_STATEMENT,
                                          .statement = (size_t)(step->statement - step->script->items) + 1,
                                          .text = step->statement->text});
}

static bool verify_holds(const struct execution *execution, const struct step *step, const struct rows *rows,
                         struct error *error)
{
    for (size_t column = 0; column < rows_columns(rows); column++)
        for (size_t row = 0; rows_column_is_bool(rows, column) && row < rows_count(rows); row++) {
            const char *value = rows_value(rows, row, column);
            if (value != NULL && *value == 't')
                continue;
            error_set(error, ERROR_FAILED, "verification failed: the query returned %s",
                      value == NULL ? "null" : "false");
            error_hint(error, "%s Every boolean that a verify script selects must be true.",
                       execution->backwards ? "Nothing was rolled back; --no-verify leaves the script out."
                                            : "The migration was rolled back.");
            return execution_place(step->script, step->statement, error);
        }
    return true;
}

static void keep_time(struct job *job, const struct step *step, int64_t us, const struct rows *rows)
{
    if (step->kind != STEP_STATEMENT || job->result == NULL)
        return;
    struct migration_result *result = job->result;
    result->statements = memory_grow(result->statements, result->statement_count, sizeof *result->statements);
    result->statements[result->statement_count++] =
        (struct statement_result){.line = step->statement->line, .us = us, .rows = rows_affected(rows)};
}

static enum keep keep_of(const struct step *step)
{
    return step->kind == STEP_STATEMENT ? KEEP_TAG : KEEP_ROWS;
}

/* A COMMIT of a failed transaction "succeeds" with the tag ROLLBACK. */
static bool committed(const struct rows *rows, struct error *error)
{
    if (strcmp(rows_tag(rows), "COMMIT") == 0)
        return true;
    return error_set(error, ERROR_FAILED, "the server answered COMMIT with %s", rows_tag(rows));
}

/* The record counts from the beginning of the transaction, which all scripts of a dry run share. */
static void take_execution_ms(struct execution *execution, struct job *job, const struct rows *rows)
{
    int64_t ms = rows_count(rows) == 0 ? 0 : rows_integer(rows, 0, "execution_ms");

    job->execution_ms = ms;
    if (!execution->dry_run)
        return;
    if (ms >= execution->tried_ms)
        job->execution_ms -= execution->tried_ms;
    execution->tried_ms = ms;
}

static bool end_step(struct execution *execution, struct job *job, const struct step *step,
                     const struct rows *rows, struct error *error)
{
    int64_t now = clock_us();
    keep_time(job, step, now - execution->now.began_us, rows);
    execution->now.began_us = now;
    if (step->kind == STEP_PREPARE)
        execution->prepared = execution->prepare_sent;
    if (step->kind == STEP_RECORD && rows_count(rows) > 0 && job->xid == NULL)
        job->xid = text_copy(rows_text(rows, 0, "xid"));
    if (step->kind == STEP_RECORD && job->whole)
        execution_was_left(execution, rows);
    if (step->kind == STEP_RECORD && job->whole)
        take_execution_ms(execution, job, rows);
    if (step->kind == STEP_VERIFY)
        return verify_holds(execution, step, rows, error);
    return step->kind != STEP_COMMIT || committed(rows, error);
}

/* "COPY items, line 3, column qty" counts the lines of the data. */
static bool copy_place(const struct step *step, struct error *error)
{
    if (step->statement->kind != STATEMENT_COPY_IN || error->detail == NULL)
        return false;
    const char *copy = strstr(error->detail, "COPY ");
    const char *line = copy == NULL ? NULL : strstr(copy, ", line ");
    if (line == NULL)
        return false;
    const struct source *source = step->script->source;
    struct text_position data = text_position(source->text, step->statement->data_offset);
    size_t number = strtoul(line + strlen(", line "), NULL, 10);
    return error_at(error, source->path, source->first_line - 1 + data.line + number - 1, 0) || true;
}

static bool fail_step(struct execution *execution, struct job *job, const struct step *step,
                      struct error *error)
{
    const struct run_watch *watch = execution->options->watch;
    if (step->statement != NULL && execution_is_watched(execution) && watch->explain != NULL)
        watch->explain(error);
    if (step->statement != NULL && !copy_place(step, error))
        execution_place(step->script, step->statement, error);
    else if (step->statement == NULL && *error->sqlstate != '\0')
        error_at(error, job->script->source->path, 0, 0);
    if ((step->kind == STEP_COMMIT || step->kind == STEP_DEFERRED) && *error->sqlstate != '\0')
        error_prefix(error, "at COMMIT");
    if (step->kind == STEP_RECORD || step->kind == STEP_PREPARE)
        history_explain(execution->history, error);
    return false;
}

/* ---- transport: the pipeline ---- */

/*
 * Planning the record takes the server longer than running it, so a session plans it once. The server may
 * still know an older one by the same name: two kinds of record take turns when a script without transaction
 * is among others, and a pooler may hand over a session that somebody used before. So each gets a name of its
 * own.
 */
static bool send_prepare(struct execution *execution, const struct job *job, struct error *error)
{
    free(execution->prepared_as);
    execution->prepared_as = text_format("%s_%lld", job->record->name, (long long)clock_us());
    execution->prepare_sent = job->record->name;
    return postgres_send_prepare(execution->postgres, execution->prepared_as, job->record->sql, error);
}

static bool send_step(struct execution *execution, struct job *job, const struct step *step,
                      struct error *error)
{
    struct postgres *postgres = execution->postgres;
    switch (step->kind) {
    case STEP_CONTROL:
        return postgres_send(postgres, step->sql, step->value == NULL ? 0 : 1, &step->value, error);
    case STEP_PREPARE:
        return send_prepare(execution, job, error);
    case STEP_RECORD:
        return postgres_send_prepared(postgres, execution->prepared_as, job->record->count,
                                      job->record->values, error) &&
               postgres_send_flush(postgres, error);
    case STEP_COMMIT:
        job->commit_sent = true;
        break;
    default:
        break;
    }
    return postgres_send(postgres, step->sql, 0, NULL, error) && postgres_send_flush(postgres, error);
}

/* Everything up to a step that is not sent yet. */
static bool send_steps(struct execution *execution, struct job *job, size_t to, struct error *error)
{
    for (; job->sent < to; job->sent++) {
        size_t i = job->sent;
        /* The answers to what came before are wanted when the first statement begins, not when it ends. */
        bool begins = i > 0 && job->steps[i].statement != NULL && job->steps[i - 1].statement == NULL;
        if (begins && !postgres_send_flush(execution->postgres, error))
            return false;
        if (!send_step(execution, job, &job->steps[i], error))
            return false;
    }
    return true;
}

/* Keep enough in flight to keep the server busy, but not the whole of a long script: both sides' buffers
 * would grow with it. After a signal nothing more is sent. */
static bool send_ahead(struct execution *execution, struct job *job, size_t at, size_t to,
                       struct error *error)
{
    size_t ahead = to - at < STEPS_AHEAD ? to : at + STEPS_AHEAD;
    if (job->sent > at + STEPS_AHEAD / 2 || job->sent == ahead)
        return true;
    if (at > 0 && interrupt_signal() != 0)
        return interrupt_error(error);
    return send_steps(execution, job, ahead, error);
}

static bool receive_steps(struct execution *execution, struct job *job, size_t from, size_t to,
                          struct error *error)
{
    for (size_t i = from; i < to; i++) {
        AUTO(rows_free) struct rows *rows = NULL;
        const struct step *step = &job->steps[i];
        if (!send_ahead(execution, job, i, to, error))
            return false;
        begin_step(execution, job, step);
        enum postgres_answer answer = postgres_receive(execution->postgres, keep_of(step), &rows, error);
        if (answer == POSTGRES_ERROR) {
            if (step->kind != STEP_COMMIT && *error->sqlstate != '\0')
                job->commit_sent = false; /* the server skips it, or has ended before it */
            return fail_step(execution, job, step, error);
        }
        if (answer != POSTGRES_ROWS)
            return error_set(error, ERROR_FAILED, "the server skipped a statement without an error");
        if (!end_step(execution, job, step, rows, error))
            return false;
    }
    return true;
}

/* Receive what is still to come up to the sync. */
static void drain(struct execution *execution)
{
    AUTO(error_clear) struct error ignored = {0};
    while (!postgres_is_lost(execution->postgres)) {
        AUTO(rows_free) struct rows *rows = NULL;
        if (postgres_receive(execution->postgres, KEEP_TAG, &rows, &ignored) == POSTGRES_SYNCED)
            return;
    }
}

static bool end_pipeline(struct execution *execution, bool synced, struct error *error)
{
    if (postgres_is_lost(execution->postgres))
        return true;
    if (!synced && !postgres_send_sync(execution->postgres, error))
        return false;
    drain(execution);
    return postgres_is_lost(execution->postgres) || postgres_pipeline_end(execution->postgres, error);
}

/* Undo what a failed job left open; nothing to do on a lost connection. */
static void undo(struct execution *execution)
{
    struct postgres *postgres = execution->postgres;
    postgres_shield(postgres, true);
    /* Twice, for the cancel request of a signal may be late and hit the first. */
    for (int i = 0; i < 2 && !postgres_is_lost(postgres) && !execution->dry_run &&
                    postgres_transaction(postgres) != POSTGRES_IDLE;
         i++) {
        AUTO(error_clear) struct error ignored = {0};
        if (!postgres_execute(postgres, sql_rollback, &ignored))
            execution->used = true;
    }
    postgres_shield(postgres, false);
}

/* ---- transport: step by step ---- */

static bool run_step(struct execution *execution, struct job *job, const struct step *step, struct rows **ret,
                     struct error *error)
{
    struct postgres *postgres = execution->postgres;
    if (step->kind == STEP_RECORD)
        return postgres_query(postgres, step->sql, job->record->count, job->record->values, ret, error);
    if (step->value != NULL)
        return postgres_query(postgres, step->sql, 1, &step->value, ret, error);
    if (step->statement == NULL || step->statement->kind != STATEMENT_COPY_IN)
        return postgres_run(postgres, step->sql, keep_of(step), ret, error);
    const struct statement *copy = step->statement;
    return postgres_copy_in(postgres, step->sql, step->script->source->text + copy->data_offset,
                            copy->data_length, ret, error);
}

/* ---- somebody who looks into the transaction ---- */

static bool look_before(struct execution *execution, const struct step *step, struct error *error)
{
    if (step->kind == STEP_STATEMENT)
        return execution_look(
            execution, (struct run_look){.moment = RUN_LOOK_BEFORE, .statement = step->statement}, error);
    return step->kind != STEP_COMMIT ||
           execution_look(execution, (struct run_look){.moment = RUN_LOOK_COMMIT}, error);
}

static bool look_after(struct execution *execution, const struct step *step, const struct rows *rows,
                       int64_t us, struct error *error)
{
    if (step->kind == STEP_COMMIT)
        execution_ended(execution, NULL, true, us);
    if (step->kind != STEP_STATEMENT)
        return true;
    struct run_look look = {.moment = RUN_LOOK_AFTER, .statement = step->statement, .us = us};
    look.rows = rows == NULL ? -1 : rows_affected(rows);
    look.tag = rows == NULL ? "" : rows_tag(rows);
    return execution_look(execution, look, error);
}

/* Who looks finds the session as a script finds it, not as the one before left it. */
static bool look_begin(struct execution *execution, struct error *error)
{
    if (!execution_is_watched(execution))
        return true;
    return (!execution->used || session_reset(execution->postgres, execution->options, error)) &&
           execution_look(execution, (struct run_look){.moment = RUN_LOOK_BEGIN}, error);
}

static bool run_steps(struct execution *execution, struct job *job, size_t from, struct error *error)
{
    execution->now.began_us = clock_us();
    for (size_t i = from; i < job->step_count; i++) {
        AUTO(rows_free) struct rows *rows = NULL;
        const struct step *step = &job->steps[i];
        begin_step(execution, job, step);
        if (step->kind == STEP_PREPARE)
            continue;
        if (interrupt_signal() != 0)
            return interrupt_error(error);
        if (!look_before(execution, step, error))
            return false;
        if (step->kind == STEP_COMMIT)
            job->commit_sent = true;
        int64_t began_us = execution->now.began_us;
        if (!run_step(execution, job, step, &rows, error))
            return fail_step(execution, job, step, error);
        if (!end_step(execution, job, step, rows, error) ||
            !look_after(execution, step, rows, execution->now.began_us - began_us, error))
            return false;
    }
    return true;
}

/* Everything up to COMMIT in the pipeline; who looks asks questions of his own, which it does not carry. */
static bool fly_steps(struct execution *execution, struct job *job, struct error *error)
{
    AUTO(error_clear) struct error ending = {0};
    if (!postgres_pipeline_begin(execution->postgres, error))
        return false;
    execution->now.began_us = clock_us();
    bool good = send_ahead(execution, job, 0, job->look, error) &&
                receive_steps(execution, job, 0, job->look, error) &&
                receive_steps(execution, job, job->look, job->hold, error);
    if (end_pipeline(execution, false, &ending) || !good)
        return good;
    error_move(error, &ending);
    return false;
}

static bool has_copy(const struct job *job)
{
    return job->script->has_copy || (job->verify != NULL && job->verify->has_copy);
}

/* A job that has to be looked into, or carries COPY. */
static bool run_apart(struct execution *execution, struct job *job, struct error *error)
{
    if (!look_begin(execution, error))
        return false;
    execute_steps_plan(execution, job);
    execution_uses(execution, job->script);
    if (has_copy(job) || !execution->options->watch->whole)
        return run_steps(execution, job, 0, error);
    return fly_steps(execution, job, error) && run_steps(execution, job, job->hold, error);
}

/* ---- jobs ---- */

static void begin_job(struct execution *execution, struct job *job)
{
    execution->now.version = job->version;
    execution->now.index = job->index;
    execution->now.script = job->script;
    execution->now.statement = NULL;
    execution->now.echoed = job->first;
    if (job->whole && job->attempts == 0)
        execution_tell(execution, (struct run_event){.type = RUN_BEGIN});
    job->attempts++;
    if (job->result != NULL && job->whole) {
        job->result->statement_count = 0;
        job->result->attempts = job->attempts;
    }
}

static void end_job(struct execution *execution, struct job *job)
{
    execute_steps_free(job);
    execution->now.statement = NULL;
    execution_echo(execution, job->script, job->whole ? SIZE_MAX : job->first + job->count);
    if (job->whole)
        execution_tell(execution, (struct run_event){.type = RUN_DONE, .ms = job->execution_ms});
}

void execute_confirm(struct execution *execution, struct job *job)
{
    if (job->attempts == 0) /* its answers were still to come */
        begin_job(execution, job);
    end_job(execution, job);
}

static bool send_job(struct execution *execution, struct job *job, struct error *error)
{
    execute_steps_plan(execution, job);
    execution_uses(execution, job->script);
    return send_ahead(execution, job, 0, job->look, error);
}

/* A job with a verify script has a second half, sent when the first has been looked at. */
static bool receive_job(struct execution *execution, struct job *job, struct error *error)
{
    begin_job(execution, job);
    if (!receive_steps(execution, job, 0, job->look, error))
        return false;
    if (!receive_steps(execution, job, job->look, job->step_count, error))
        return false;
    end_job(execution, job);
    return true;
}

/*
 * The sync goes out with the last job's statements, so that it costs no round trip of its own; nor does the
 * unlock, which the server skips when a job has failed.
 */
static bool fly(struct execution *execution, struct job *jobs, size_t count, size_t window, size_t *ret_done,
                bool *ret_synced, struct error *error)
{
    size_t sent = 0;
    execution->now.began_us = clock_us();
    for (size_t done = 0; done < count; done++) {
        for (; sent < count && sent - done < window; sent++)
            if (!send_job(execution, &jobs[sent], error))
                return false;
        if (sent == count && !*ret_synced && jobs[count - 1].sent == jobs[count - 1].step_count) {
            if (jobs[count - 1].unlock &&
                !session_send_unlock(execution->postgres, execution->history, error))
                return false;
            if (!postgres_send_sync(execution->postgres, error))
                return false;
            *ret_synced = true;
        }
        if (!receive_job(execution, &jobs[done], error))
            return false;
        *ret_done = done + 1;
    }
    return true;
}

bool execute_forgotten(struct execution *execution, const struct error *error)
{
    if (execution->prepared == NULL || strcmp(error->sqlstate, "26000") != 0)
        return false;
    execution->prepared = execution->prepare_sent = NULL;
    return true;
}

bool execute_in_batch(const struct script *script, const struct script *verify)
{
    return script->transactional && verify == NULL && !script->has_copy && script->count < STEPS_AHEAD / 2 &&
           !script->changes_begin;
}

/* In one pipeline; also that ends well before the run lock counts as given back. */
static bool run_together(struct execution *execution, struct job *jobs, size_t count, size_t window,
                         size_t *ret_done, struct error *error)
{
    AUTO(error_clear) struct error ending = {0};
    bool synced = false;
    if (!postgres_pipeline_begin(execution->postgres, error))
        return false;
    bool good = fly(execution, jobs, count, window, ret_done, &synced, error);
    if (!end_pipeline(execution, synced, &ending) && good) {
        error_move(error, &ending);
        good = false;
    }
    execution->unlocked = good && jobs[count - 1].unlock;
    return good;
}

bool execute_jobs(struct execution *execution, struct job *jobs, size_t count, size_t window,
                  size_t *ret_done, struct error *error)
{
    *ret_done = 0;
    bool good;
    if (execution->defaults && !execution->dry_run) {
        if (!session_reset(execution->postgres, execution->options, error))
            return false;
        execution->defaults = false;
    }
    if (count == 1 && (execution_is_watched(execution) || has_copy(&jobs[0]))) {
        begin_job(execution, &jobs[0]);
        good = run_apart(execution, &jobs[0], error);
        *ret_done = good ? 1 : 0;
        if (good)
            end_job(execution, &jobs[0]);
    } else {
        good = run_together(execution, jobs, count, window, ret_done, error);
    }
    for (size_t i = *ret_done; i < count; i++) {
        execute_steps_free(&jobs[i]);
        if (!postgres_is_lost(execution->postgres))
            execute_steps_forget(&jobs[i]);
    }
    execution->prepare_sent = execution->prepared;
    if (!good) {
        undo(execution);
        execution->leaves = LEAVES_ALL; /* what was cleared away is back */
        execution_ended(execution, NULL, false, 0);
    }
    return good;
}
