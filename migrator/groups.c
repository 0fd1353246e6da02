/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/groups.h"

#include "common/interrupt.h"
#include "migrator/index_build.h"
#include "migrator/retry.h"
#include "migrator/session.h"
#include "sql.h"
#include <string.h>

static bool send(struct execution *execution, struct history_statement *owned, struct error *error)
{
    AUTO(history_statement_free) struct history_statement *statement = owned;
    bool sent =
        postgres_query(execution->postgres, statement->sql, statement->count, statement->values, NULL, error);
    if (!sent)
        history_explain(execution->history, error);
    return sent;
}

static bool set_timeout(struct execution *execution, const char *sql, int64_t ms, struct error *error)
{
    OWNED char *value = text_format("%lldms", (long long)ms);
    OWNED char *bound = postgres_bind(sql, (struct postgres_name[]){{"value", value}, {0}});
    return postgres_execute(execution->postgres, bound, error);
}

/* ---- one statement outside any transaction ---- */

/* A concurrent build waits for old transactions by way of locks: a short timeout would only leave an INVALID
 * index. */
static bool waits_long(const struct statement *statement)
{
    return statement->what != NULL && strstr(statement->what, "CONCURRENTLY") != NULL;
}

static bool prepare_bare(struct execution *execution, const struct group_run *run,
                         const struct statement *statement, int64_t lock_timeout_ms, struct error *error)
{
    if (!set_timeout(execution, sql_set_session_lock_timeout, waits_long(statement) ? 0 : lock_timeout_ms,
                     error) ||
        !set_timeout(execution, sql_set_session_statement_timeout, run->statement_timeout_ms, error))
        return false;
    if (run->role == NULL)
        return true;
    OWNED char *role = postgres_bind(sql_set_role, (struct postgres_name[]){{"role", run->role}, {0}});
    return postgres_execute(execution->postgres, role, error);
}

static void look_at(struct execution *execution, const struct group_run *run,
                    const struct statement *statement, int64_t lock_timeout_ms)
{
    execution->now.version = run->version;
    execution->now.index = run->index;
    execution->now.script = run->script;
    execution->now.statement = statement;
    execution->now.lock_timeout_ms = waits_long(statement) ? 0 : lock_timeout_ms;
    execution->now.began_us = clock_us();
    execution_echo(execution, run->script, (size_t)(statement - run->script->items) + 1);
    execution_tell(execution, (struct run_event){.type = RUN_STATEMENT,
                                                 .statement = (size_t)(statement - run->script->items) + 1,
                                                 .text = statement->text});
}

static void keep_time(struct group_run *run, const struct statement *statement, int64_t us,
                      const struct rows *rows)
{
    struct migration_result *result = run->result;
    if (result == NULL)
        return;
    result->statements = memory_grow(result->statements, result->statement_count, sizeof *result->statements);
    result->statements[result->statement_count++] = (struct statement_result){
        .line = statement->line, .us = us, .rows = rows == NULL ? -1 : rows_affected(rows)};
}

static bool run_bare(struct execution *execution, struct group_run *run, const struct statement *statement,
                     int64_t lock_timeout_ms, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!prepare_bare(execution, run, statement, lock_timeout_ms, error))
        return false;
    look_at(execution, run, statement, lock_timeout_ms);
    execution_uses(execution, run->script);
    if (!postgres_run(execution->postgres, statement->text, KEEP_TAG, &rows, error)) {
        execution_place(run->script, statement, error);
        if (!postgres_is_lost(execution->postgres))
            index_build_clean(execution, statement);
        return false;
    }
    keep_time(run, statement, clock_us() - execution->now.began_us, rows);
    return index_build_check(execution, statement, error);
}

static bool run_bare_with_retries(struct execution *execution, struct group_run *run,
                                  const struct statement *statement, struct error *error)
{
    int64_t deadline = clock_ms() + execution->options->max_wait_ms;
    for (size_t attempt = 0;; attempt++) {
        AUTO(error_clear) struct error failure = {0};
        int64_t timeout = retry_lock_timeout(attempt, run->lock_timeout_ms);
        if (run_bare(execution, run, statement, timeout, &failure))
            return true;
        if (!retry_makes_sense(&failure) || postgres_is_lost(execution->postgres) ||
            !retry_wait(execution, attempt, timeout, deadline, &failure)) {
            error_move(error, &failure);
            return false;
        }
    }
}

/* Statements whose second run does no harm and ends where the first would have. */
static bool may_repeat(const struct statement *statement)
{
    static const char *const repeatable[] = {"VACUUM",      "REINDEX",    "ALTER SYSTEM",      "CLUSTER",
                                             "DISCARD ALL", "DROP INDEX", "CREATE INDEX CONC", NULL};
    for (const char *const *what = repeatable; *what != NULL; what++)
        if (statement->what != NULL && text_starts_with(statement->what, *what))
            return true;
    return false;
}

static bool unconfirmed(const struct group_run *run, const struct statement *statement, struct error *error)
{
    size_t number = (size_t)(statement - run->script->items) + 1;
    error_set(error, ERROR_PARTIAL, "statement %zu of %zu of \"%s\" was begun and its outcome is not known",
              number, run->script->count, run->version);
    error_detail(
        error,
        "The run that began it was cut off. It runs outside any transaction, so it may or may not have "
        "taken effect.");
    error_hint(error,
               "Look at the database. If it was done: pgmigrate repair %s --resume-at %zu --reason …; if "
               "not: --resume-at %zu.",
               run->version, number + 1, number);
    return execution_place(run->script, statement, error);
}

static bool bare_group(struct execution *execution, struct group_run *run, const struct statement *statement,
                       struct error *error)
{
    size_t number = (size_t)(statement - run->script->items);
    bool again = run->begun && number == run->done, exists = false;
    if (again && run->unconfirmed && !may_repeat(statement))
        return unconfirmed(run, statement, error);
    execution->now.script = run->script;
    execution->now.statement = statement;
    if (!index_build_prepare(execution, statement, again, &exists, error))
        return false;
    if (run->record && !send(execution, history_started(execution->history, run->version, number), error))
        return false;
    return (exists || run_bare_with_retries(execution, run, statement, error)) &&
           session_reset(execution->postgres, execution->options, error);
}

/* ---- a stretch that runs in a transaction ---- */

static bool wrapped_group(struct execution *execution, struct group_run *run,
                          const struct statement_group *group, int64_t elapsed_ms, struct error *error)
{
    AUTO(job_done)
    struct job job = {
        .version = run->version,
        .index = run->index,
        .script = run->script,
        .first = group->first,
        .count = group->count,
        .begin = group->block ? run->script->items[group->first].text : sql_begin,
        .record = run->record ? history_advance(execution->history, run->version, group->first + group->count,
                                                elapsed_ms)
                              : NULL,
        .lock_timeout_ms = run->lock_timeout_ms,
        .statement_timeout_ms = run->statement_timeout_ms,
        .role = run->role,
        .durable = true,
        .result = run->result,
    };
    return execute_with_retries(execution, &job, error);
}

static bool run_group(struct execution *execution, struct group_run *run, const struct statement_group *group,
                      int64_t began_ms, struct error *error)
{
    int64_t elapsed = clock_ms() - began_ms;
    if (!group->bare)
        return wrapped_group(execution, run, group, elapsed, error);
    if (!bare_group(execution, run, &run->script->items[group->first], error))
        return false;
    return !run->record ||
           send(execution,
                history_advance(execution->history, run->version, group->first + 1, clock_ms() - began_ms),
                error);
}

static bool stopped(struct execution *execution, const struct group_run *run, struct error *error)
{
    if (run->record && !postgres_is_lost(execution->postgres)) {
        AUTO(error_clear) struct error ignored = {0};
        postgres_shield(execution->postgres, true);
        if (!send(execution, history_fail(execution->history, run->identity, run->version, error->message),
                  &ignored))
            error_clear(&ignored); /* the row then stays "running", which tells the same */
        postgres_shield(execution->postgres, false);
    }
    if (run->done == 0 && !postgres_is_lost(execution->postgres))
        return false;
    bool signalled = error->code == ERROR_INTERRUPTED || error->code == ERROR_TERMINATED;
    if (!signalled)
        error->code = ERROR_PARTIAL;
    if (error->hint == NULL || signalled)
        error_hint(error,
                   "%zu of %zu statements are done and stay so; applying again goes on with the next one.",
                   run->done, run->script->count);
    return false;
}

bool groups_run(struct execution *execution, struct group_run *run, struct error *error)
{
    int64_t began = clock_ms();
    execution->now.echoed = run->done;
    for (size_t i = 0; i < run->script->group_count; i++) {
        const struct statement_group *group = &run->script->groups[i];
        if (group->first + group->count <= run->done)
            continue;
        if (interrupt_signal() != 0) {
            interrupt_error(error);
            return stopped(execution, run, error);
        }
        if (!run_group(execution, run, group, began, error))
            return stopped(execution, run, error);
        run->done = group->first + group->count;
        run->begun = false;
    }
    execution_echo(execution, run->script, SIZE_MAX);
    if (run->result != NULL)
        run->result->execution_ms = clock_ms() - began;
    return true;
}
