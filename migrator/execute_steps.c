/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/execute_steps.h"

#include "migrator/session.h"
#include "migrator/statement.h"
#include "sql.h"

static struct step *add_step(struct job *job, enum step_kind kind, const char *sql)
{
    job->steps = memory_grow(job->steps, job->step_count, sizeof *job->steps);
    struct step *step = &job->steps[job->step_count++];
    *step = (struct step){.kind = kind, .sql = sql};
    return step;
}

static void add_owned(struct job *job, char *sql)
{
    add_step(job, STEP_CONTROL, sql)->owned = sql;
}

static char *bind_value(const char *sql, int64_t ms)
{
    OWNED char *value = text_format("%lldms", (long long)ms);
    return postgres_bind(sql, (struct postgres_name[]){{"value", value}, {0}});
}

static void add_lock_timeout(struct job *job)
{
    add_owned(job, bind_value(sql_set_lock_timeout, job->lock_timeout_ms));
}

/* Settings and role as a script finds them. */
static void add_session_reset(struct execution *execution, struct job *job)
{
    const char *settings[SESSION_SETTINGS_MAX];
    add_step(job, STEP_CONTROL, sql_reset_all);
    add_step(job, STEP_CONTROL, sql_reset_authorization);
    add_owned(job, session_role(execution->options));
    size_t count = session_settings(execution->postgres, settings);
    for (size_t i = 0; i < count; i++)
        add_step(job, STEP_CONTROL, settings[i]);
}

/* What earlier scripts did to the session is undone inside the transaction: an attempt that fails undoes it
 * again. */
static void add_reset(struct execution *execution, struct job *job)
{
    /* groups_run has cleaned up before a script without transaction; a dry run has not. */
    bool begins = job->script->transactional || (execution->dry_run && job->first == 0);
    struct cleaning cleaning[CLEANING_MAX];
    size_t cleanings = begins ? execution_cleaning(execution, job->script, cleaning) : 0;
    for (size_t i = 0; i < cleanings; i++) {
        struct step *step = add_step(job, STEP_CONTROL, cleaning[i].sql);
        step->value = cleaning[i].takes_key ? execution->lock_key : NULL;
    }
    add_session_reset(execution, job);
}

static void add_settings(struct execution *execution, struct job *job, int64_t statement_timeout_ms,
                         const char *role)
{
    add_lock_timeout(job);
    add_owned(job, bind_value(sql_set_statement_timeout, statement_timeout_ms));
    if (!job->durable && !execution->dry_run)
        add_step(job, STEP_CONTROL, sql_set_asynchronous_commit);
    if (role != NULL)
        add_owned(job, postgres_bind(sql_set_role, (struct postgres_name[]){{"role", role}, {0}}));
    if (!execution->dry_run && execution_is_watched(execution) && execution->options->watch->begins != NULL)
        add_step(job, STEP_CONTROL, execution->options->watch->begins);
}

/* The transaction of a dry run has begun long ago. */
static bool is_left_out(const struct execution *execution, const struct statement *statement)
{
    return statement->kind == STATEMENT_BEGIN || statement->kind == STATEMENT_COMMIT ||
           (execution->dry_run && statement_sets_transaction(statement->text));
}

static void add_statements(const struct execution *execution, struct job *job, enum step_kind kind,
                           const struct script *script, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const struct statement *statement = &script->items[i];
        if (is_left_out(execution, statement))
            continue;
        struct step *step = add_step(job, kind, statement->text);
        step->script = script;
        step->statement = statement;
        if (statement->sets_lock_timeout)
            add_lock_timeout(job);
    }
}

/* A stretch of a no-transaction script has the settings that the statements before it made. */
static void add_session(struct job *job)
{
    const struct script *script = job->script;
    size_t i = 0;
    for (; i < script->setting_count && script->settings[i] < job->first; i++)
        add_step(job, STEP_CONTROL, script->items[script->settings[i]].text);
    if (i > 0)
        add_lock_timeout(job);
}

/* It was cut for a session as it begins, and may come behind another migration's rollback script. */
static void add_verify(struct execution *execution, struct job *job)
{
    add_session_reset(execution, job);
    add_settings(execution, job, job->verify_statement_timeout_ms, job->verify_role);
    add_statements(execution, job, STEP_VERIFY, job->verify, 0, job->verify->count);
}

void execute_steps_forget(struct job *job)
{
    job->commit_sent = false;
    free(take(job->xid));
}

void execute_steps_plan(struct execution *execution, struct job *job)
{
    job->step_count = job->sent = 0;
    execute_steps_forget(job);
    if (!execution->dry_run)
        add_step(job, STEP_CONTROL, job->begin);
    if (execution->used)
        add_reset(execution, job);
    add_settings(execution, job, job->statement_timeout_ms, job->role);
    add_session(job);
    add_statements(execution, job, STEP_STATEMENT, job->script, job->first, job->count);
    if (job->verify != NULL)
        add_verify(execution, job);
    job->look = job->step_count;
    if (job->record != NULL) {
        add_step(job, STEP_CONTROL, sql_reset_authorization);
        add_owned(job, session_role(execution->options));
        add_step(job, STEP_CONTROL, sql_set_generic_plan);
        if (execution->prepare_sent != job->record->name)
            add_step(job, STEP_PREPARE, job->record->sql);
        add_step(job, STEP_RECORD, job->record->sql);
    }
    job->hold = job->step_count;
    if (execution->dry_run)
        add_step(job, STEP_DEFERRED, sql_deferred_now);
    else
        add_step(job, STEP_COMMIT, sql_commit);
    if (!execution_is_watched(execution))
        job->hold = job->step_count;
    if (job->verify == NULL)
        job->look = job->hold;
}

void execute_steps_free(struct job *job)
{
    for (size_t i = 0; i < job->step_count; i++)
        free(job->steps[i].owned);
    free(take(job->steps));
    job->step_count = 0;
}
