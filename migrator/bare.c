/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/bare.h"

#include "common/interrupt.h"
#include "migrator/index_build.h"
#include "migrator/retry.h"
#include "migrator/session.h"
#include "migrator/statement.h"
#include "sql.h"
#include <string.h>

/* ---- what the words say ---- */

static bool is(const struct statement *statement, const char *what)
{
    return statement->what != NULL && strcmp(statement->what, what) == 0;
}

/* It waits for old transactions by way of locks: a short timeout would only leave an INVALID index. */
static bool waits_long(const struct statement *statement)
{
    return statement->what != NULL && strstr(statement->what, "CONCURRENTLY") != NULL;
}

bool bare_may_repeat(const struct statement *statement)
{
    static const char *const repeatable[] = {"VACUUM",
                                             "REINDEX CONCURRENTLY",
                                             "REINDEX of a schema or database",
                                             "CLUSTER without a table",
                                             "ALTER SYSTEM",
                                             "DROP INDEX CONCURRENTLY",
                                             NULL};
    for (const char *const *what = repeatable; *what != NULL; what++)
        if (is(statement, *what))
            return true;
    return index_build_has_name(statement);
}

/* The server says that what was to be dropped is not there: then the run that was cut off has dropped it. */
static bool has_happened(const struct group_run *run, const struct statement *statement,
                         const struct error *error)
{
    return run->unconfirmed && is(statement, "DROP INDEX CONCURRENTLY") &&
           strcmp(error->sqlstate, "42704") == 0;
}

char *bare_remedy(struct postgres *postgres, const struct group_run *run)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    bool has_next = run->done < run->script->count;
    OWNED char *partition = has_next ? statement_detached(run->script->items[run->done].text) : NULL;
    if (partition == NULL || postgres_is_lost(postgres) || postgres_server_version(postgres) < 140000)
        return NULL;
    postgres_shield(postgres, true);
    bool known = postgres_query(postgres, sql_partition_detaching, 1, (const char *const[]){partition}, &rows,
                                &ignored);
    postgres_shield(postgres, false);
    if (!known || rows_count(rows) == 0)
        return NULL;
    return text_format("The partition is half detached. Finish it by hand: %s; then: pgmigrate repair %s "
                       "--resume-at %zu --reason …",
                       rows_text(rows, 0, "finish"), run->version, run->done + 2);
}

bool bare_check(struct postgres *postgres, const struct group_run *run, struct error *error)
{
    if (!run->unconfirmed || run->done >= run->script->count)
        return true;
    const struct statement *statement = &run->script->items[run->done];
    if (bare_may_repeat(statement))
        return true;
    size_t number = run->done + 1;
    OWNED char *remedy = bare_remedy(postgres, run);
    error_set(error, ERROR_PARTIAL, "statement %zu of %zu of \"%s\" was begun and its outcome is not known",
              number, run->script->count, run->version);
    error_detail(
        error,
        "The run that began it was cut off. It runs outside any transaction, so it may or may not have "
        "taken effect.");
    if (remedy != NULL)
        error_hint(error, "%s", remedy);
    else
        error_hint(error,
                   "Look at the database. If it was done: pgmigrate repair %s --resume-at %zu --reason …; if "
                   "not: --resume-at %zu.",
                   run->version, number + 1, number);
    return execution_place(run->script, statement, error);
}

/* ---- the session it runs in ---- */

static bool set_timeout(struct execution *execution, const char *sql, int64_t ms, struct error *error)
{
    OWNED char *value = text_format("%lldms", (long long)ms);
    OWNED char *bound = postgres_bind(sql, (struct postgres_name[]){{"value", value}, {0}});
    return postgres_execute(execution->postgres, bound, error);
}

/* From a reset session; lock_timeout_ms is for statements that do not wait long by nature. */
static bool set_up(struct execution *execution, const struct group_run *run,
                   const struct statement *statement, int64_t lock_timeout_ms, struct error *error)
{
    int64_t timeout = waits_long(statement) ? 0 : lock_timeout_ms;
    if (!set_timeout(execution, sql_set_session_statement_timeout, run->statement_timeout_ms, error))
        return false;
    if (run->role != NULL) {
        OWNED char *role = postgres_bind(sql_set_role, (struct postgres_name[]){{"role", run->role}, {0}});
        if (!postgres_execute(execution->postgres, role, error))
            return false;
    }
    const struct script *script = run->script;
    for (size_t i = 0; i < script->setting_count; i++) {
        const struct statement *before = &script->items[script->settings[i]];
        if (before < statement && !postgres_execute(execution->postgres, before->text, error))
            return execution_place(script, before, error);
    }
    execution->now.lock_timeout_ms = timeout;
    return set_timeout(execution, sql_set_session_lock_timeout, timeout, error);
}

static bool announce(struct execution *execution, const struct group_run *run,
                     const struct statement *statement, struct error *error)
{
    AUTO(history_statement_free)
    struct history_statement *started =
        groups_progress(execution->history, run, (size_t)(statement - run->script->items), true, 0);
    return history_write(execution->history, started, execution->options->max_wait_ms, error);
}

/* ---- running it ---- */

static void keep_time(const struct group_run *run, const struct statement *statement, int64_t us,
                      const struct rows *rows)
{
    struct migration_result *result = run->result;
    result->statements = memory_grow(result->statements, result->statement_count, sizeof *result->statements);
    result->statements[result->statement_count++] = (struct statement_result){
        .line = statement->line, .us = us, .rows = rows == NULL ? -1 : rows_affected(rows)};
}

/*
 * CALL and DO may end transactions themselves, and what drops or detaches CONCURRENTLY takes several; what an
 * index build has left is looked for by name.
 */
static bool may_commit(const struct statement *statement)
{
    return statement->kind == STATEMENT_MAY_COMMIT || (waits_long(statement) && !index_build_is(statement));
}

static bool count_transactions(struct execution *execution, int64_t *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!postgres_query(execution->postgres, sql_session_transactions, 0, NULL, &rows, error))
        return false;
    *ret = rows_integer(rows, 0, "number");
    return true;
}

/*
 * Whether the statement that failed has ended a transaction before: the session counts them, and between the
 * two looks there is but one if it has not. before is 0 for a statement that cannot.
 */
static bool has_committed(struct execution *execution, int64_t before)
{
    AUTO(error_clear) struct error ignored = {0};
    int64_t after = 0;
    if (before == 0)
        return false;
    postgres_shield(execution->postgres, true);
    bool known = count_transactions(execution, &after, &ignored);
    postgres_shield(execution->postgres, false);
    return !known || after - before > 2;
}

static bool look_before(struct execution *execution, const struct statement *statement, struct error *error)
{
    struct run_look look = {.moment = RUN_LOOK_BEGIN, .bare = true};
    if (!execution_look(execution, look, error))
        return false;
    look.moment = RUN_LOOK_BEFORE;
    look.statement = statement;
    if (execution_look(execution, look, error))
        return true;
    execution_ended(execution, statement, false, 0);
    return false;
}

/* It is done: who looks at it can only stop what comes next. */
static bool look_after(struct execution *execution, struct group_run *run, const struct statement *statement,
                       const struct rows *rows, struct error *error)
{
    struct run_look look = {.moment = RUN_LOOK_AFTER,
                            .bare = true,
                            .statement = statement,
                            .us = clock_us() - execution->now.began_us,
                            .rows = rows == NULL ? -1 : rows_affected(rows),
                            .tag = rows == NULL ? "" : rows_tag(rows)};
    bool good = execution_look(execution, look, error);
    execution_ended(execution, statement, true, look.us);
    run->kept = !good;
    return good;
}

static bool run_it(struct execution *execution, struct group_run *run, const struct statement *statement,
                   struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    int64_t before = 0;
    if ((may_commit(statement) && !count_transactions(execution, &before, error)) ||
        !look_before(execution, statement, error))
        return false;
    execution->now.statement = statement;
    execution->now.began_us = clock_us();
    execution_uses(execution, run->script);
    execution_echo(execution, run->script, (size_t)(statement - run->script->items) + 1);
    execution_tell(execution, (struct run_event){.type = RUN_STATEMENT,
                                                 .statement = (size_t)(statement - run->script->items) + 1,
                                                 .text = statement->text});
    if (!postgres_run(execution->postgres, statement->text, KEEP_TAG, &rows, error) &&
        !has_happened(run, statement, error)) {
        run->kept = postgres_is_lost(execution->postgres) || has_committed(execution, before);
        execution_place(run->script, statement, error);
        execution_ended(execution, statement, false, 0);
        if (!index_build_clean(execution, statement))
            run->kept = true;
        return false;
    }
    keep_time(run, statement, clock_us() - execution->now.began_us, rows);
    return look_after(execution, run, statement, rows, error) &&
           index_build_check(execution, statement, error);
}

/* An index is looked for in the session the statement will have, so that names mean the same; but for its
 * limit, which is not that of dropping what a failed build has left. */
static bool look_at_index(struct execution *execution, const struct group_run *run,
                          const struct statement *statement, bool ours, bool *ret_exists, struct error *error)
{
    execution->now.statement = statement;
    return set_up(execution, run, statement, 0, error) &&
           set_timeout(execution, sql_set_session_statement_timeout, 0, error) &&
           index_build_prepare(execution, statement, ours, ret_exists, error) &&
           session_reset(execution->postgres, execution->options, error);
}

static bool attempt(struct execution *execution, struct group_run *run, const struct statement *statement,
                    size_t number, struct error *error)
{
    bool exists = false, ours = number > 0 || (run->started && statement == &run->script->items[run->done]);
    int64_t timeout = retry_lock_timeout(number, run->lock_timeout_ms);
    if (number > 0 && !session_reset(execution->postgres, execution->options, error))
        return false;
    if (index_build_is(statement) && !look_at_index(execution, run, statement, ours, &exists, error))
        return false;
    if (exists && run->unconfirmed)
        return true;
    return announce(execution, run, statement, error) && set_up(execution, run, statement, timeout, error) &&
           run_it(execution, run, statement, error);
}

/* What has kept a part of its work is not begun anew unless that does no harm. */
static bool may_retry(struct execution *execution, const struct group_run *run,
                      const struct statement *statement, const struct error *failure)
{
    return retry_makes_sense(failure) && !postgres_is_lost(execution->postgres) &&
           (!run->kept || bare_may_repeat(statement));
}

bool bare_run(struct execution *execution, struct group_run *run, const struct statement *statement,
              struct error *error)
{
    int64_t deadline = clock_ms() + execution->options->max_wait_ms;
    for (size_t number = 0;; number++) {
        AUTO(error_clear) struct error failure = {0};
        run->kept = false;
        if (attempt(execution, run, statement, number, &failure))
            return true;
        if (!may_retry(execution, run, statement, &failure) ||
            !retry_wait(execution, number, retry_lock_timeout(number, run->lock_timeout_ms), deadline,
                        &failure)) {
            error_move(error, &failure);
            return false;
        }
    }
}
