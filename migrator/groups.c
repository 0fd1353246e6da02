/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/groups.h"

#include "common/interrupt.h"
#include "migrator/bare.h"
#include "migrator/retry.h"
#include "migrator/session.h"
#include "migrator/settle.h"
#include "sql.h"
#include <string.h>

void group_run_done(struct group_run *run)
{
    history_statement_free(take(run->begin));
    history_statement_free(take(run->put_back));
}

void groups_resume(struct group_run *run, const struct history_row *row)
{
    run->done = row->statements_done > 0 ? (size_t)row->statements_done : 0;
    run->started = row->statement_started == (int64_t)run->done;
    run->unconfirmed = run->started && row->state != ROW_FAILED;
}

struct text_list groups_hashes(const struct script *script)
{
    struct text_list hashes = {0};
    for (size_t i = 0; i < script->count; i++)
        text_list_add(&hashes, text_copy(script->items[i].hash));
    return hashes;
}

/* A rollback's first one takes the forward script's progress away, and so goes with what it did. */
struct history_statement *groups_progress(const struct history *history, const struct group_run *run,
                                          size_t done, bool started, int64_t execution_ms)
{
    AUTO(text_list_clear) struct text_list hashes = groups_hashes(run->script);
    if (run->backwards)
        return history_undo(history, run->version, &hashes, done, started ? (int64_t)done : -1);
    return started ? history_started(history, run->version, done)
                   : history_advance(history, run->version, done, execution_ms);
}

static bool send(struct execution *execution, const struct history_statement *statement, struct error *error)
{
    return history_write(execution->history, statement, execution->options->max_wait_ms, error);
}

/* ---- what ran must be unchanged ---- */

static bool changed(const struct group_run *run, size_t at, struct error *error)
{
    error_set(error, ERROR_CONFLICT, "statement %zu of \"%s\" was changed after it ran", at + 1,
              run->version);
    error_hint(error,
               run->backwards
                   ? "%zu statements of the rollback script have run. Put them back as they were, or undo "
                     "the rest by hand: pgmigrate repair %s --mark-rolled-back --reason …"
                   : "%zu statements have run. Put them back as they were, or clear the half-run with "
                     "\"pgmigrate repair %s --clear\".",
               run->done, run->version);
    const struct script *script = run->script;
    if (script->count == 0)
        return error_at(error, script->source->path, 0, 0);
    return execution_place(script, &script->items[at < script->count ? at : script->count - 1], error);
}

bool groups_check_unchanged(const struct history *history, const struct group_run *run, struct error *error)
{
    AUTO(text_list_clear) struct text_list hashes = {0};
    if (run->done == 0)
        return true;
    if (!history_hashes(history, run->version, &hashes, error))
        return false;
    for (size_t i = 0; i < run->done; i++)
        if (i >= run->script->count || i >= hashes.count ||
            strcmp(run->script->items[i].hash, hashes.items[i]) != 0)
            return changed(run, i, error);
    return true;
}

/* ---- a stretch that runs in a transaction ---- */

/* The connection is gone; whether the stretch was committed with its progress is asked for. */
static bool settle_wrapped(struct execution *execution, struct group_run *run, const struct job *job,
                           struct error *error)
{
    size_t committed = 0;
    struct settle_question question = {
        .run_id = run->identity->run_id, .jobs = job, .count = job->commit_sent ? 1 : 0, .unlogged = true};
    enum settled settled = settle(execution, &question, &committed);
    if (settled == SETTLED_COMMITTED)
        run->done = job->first + job->count;
    if (settled != SETTLED_UNKNOWN)
        return false;
    AUTO(error_clear) struct error lost = {0};
    error_move(&lost, error);
    return settle_error(settled, job, &lost, error);
}

static bool run_wrapped(struct execution *execution, struct group_run *run,
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
        .record = groups_progress(execution->history, run, group->first + group->count, false, elapsed_ms),
        .lock_timeout_ms = run->lock_timeout_ms,
        .statement_timeout_ms = run->statement_timeout_ms,
        .role = run->role,
        .durable = true,
        .result = run->result,
    };
    run->kept = false;
    if (execute_with_retries(execution, &job, error))
        return true;
    return postgres_is_lost(execution->postgres) && settle_wrapped(execution, run, &job, error);
}

/* Once it is done, no signal keeps that from being recorded: it would run a second time. */
static bool run_bare(struct execution *execution, struct group_run *run, const struct statement_group *group,
                     int64_t began_ms, struct error *error)
{
    if (!bare_run(execution, run, &run->script->items[group->first], error))
        return false;
    AUTO(history_statement_free)
    struct history_statement *advance =
        groups_progress(execution->history, run, group->first + 1, false, clock_ms() - began_ms);
    postgres_shield(execution->postgres, true);
    run->kept = true;
    bool good =
        session_reset(execution->postgres, execution->options, error) && send(execution, advance, error);
    postgres_shield(execution->postgres, false);
    return good;
}

static bool run_group(struct execution *execution, struct group_run *run, const struct statement_group *group,
                      int64_t began_ms, struct error *error)
{
    return group->bare ? run_bare(execution, run, group, began_ms, error)
                       : run_wrapped(execution, run, group, clock_ms() - began_ms, error);
}

/* ---- the whole ---- */

/* A row that cannot be written stays as it is, which tells the same; so it does when the connection is lost,
 * for then it says that the outcome of a statement is unknown. */
static void record_failure(struct execution *execution, const struct group_run *run,
                           const struct error *failure)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(history_statement_free)
    struct history_statement *fail =
        run->backwards ? history_undo_fail(execution->history, run->identity, run->version, failure->message)
                       : history_fail(execution->history, run->identity, run->version, failure->message);
    if (postgres_is_lost(execution->postgres)) {
        settle_log(execution, run->identity, run->version, failure);
        return;
    }
    postgres_shield(execution->postgres, true);
    if (!session_reset(execution->postgres, execution->options, &ignored) ||
        !history_write(execution->history, fail, 0, &ignored))
        error_clear(&ignored);
    postgres_shield(execution->postgres, false);
}

/* The announcement of a rollback's first statement has taken what the row said, which is true still. */
static void put_back(struct execution *execution, const struct group_run *run)
{
    AUTO(error_clear) struct error ignored = {0};
    if (run->put_back == NULL || postgres_is_lost(execution->postgres))
        return;
    postgres_shield(execution->postgres, true);
    if (!history_write(execution->history, run->put_back, 0, &ignored))
        error_clear(&ignored);
    postgres_shield(execution->postgres, false);
}

/* The row that a script written for psql adds is there already: its progress is kept in it. */
static void explain_own_row(const struct execution *execution, const struct group_run *run,
                            struct error *error)
{
    OWNED char *key = text_format("(version)=(%s)", run->version);
    if (strcmp(error->sqlstate, "23505") != 0 || error->hint != NULL || error->detail == NULL ||
        strstr(error->detail, key) == NULL || strstr(error->message, execution->history->table) == NULL)
        return;
    error_hint(error,
               "pgmigrate keeps the progress of a no-transaction script in its row of the history: take the "
               "INSERT out, or add ON CONFLICT DO NOTHING, and apply again.");
}

/* Of a statement outside any transaction the connection was lost, and to run it again may do it twice. */
static bool outcome_is_unknown(const struct execution *execution, const struct group_run *run)
{
    const struct statement *statement =
        run->done < run->script->count ? &run->script->items[run->done] : NULL;
    return run->kept && postgres_is_lost(execution->postgres) && statement != NULL &&
           !bare_may_repeat(statement);
}

/* How far it came, and how it goes on. */
static void tell_progress(const struct execution *execution, const struct group_run *run, const char *verb,
                          bool briefly, struct error *error)
{
    size_t done = run->done, count = run->script->count;
    OWNED char *text = NULL;
    if (run->kept && !postgres_is_lost(execution->postgres))
        error_hint_more(
            error,
            "What the statement that failed had committed by then stays; it begins anew the next time.");
    if (outcome_is_unknown(execution, run))
        text =
            text_format("%zu of %zu statements are done and stay so; whether the next one is, is not known: "
                        "look at the database before %s again.",
                        done, count, verb);
    else if (error->hint == NULL || !briefly || run->kept)
        text = text_format("%zu of %zu statements are done and stay so; %s again goes on with the next one.",
                           done, count, verb);
    if (text != NULL)
        error_hint_more(error, text);
}

/* Partial is what has left something behind, or may have. A COMMIT whose outcome is not known has brought its
 * progress along, or neither. */
static bool stopped(struct execution *execution, const struct group_run *run, struct error *error)
{
    const char *verb = run->backwards ? "rolling back" : "applying";
    record_failure(execution, run, error);
    explain_own_row(execution, run, error);
    if (error->code == ERROR_UNKNOWN) {
        OWNED char *text = text_format("%zu of %zu statements were done before; %s again is safe.", run->done,
                                       run->script->count, verb);
        return error_hint_more(error, text);
    }
    OWNED char *remedy = bare_remedy(execution->postgres, run);
    if (run->done == 0 && !run->kept && remedy == NULL) {
        put_back(execution, run);
        return false;
    }
    bool locked = error->code == ERROR_LOCKED;
    bool signalled = error->code == ERROR_INTERRUPTED || error->code == ERROR_TERMINATED;
    if (!signalled)
        error->code = ERROR_PARTIAL;
    if (remedy != NULL)
        return error_hint_more(error, remedy);
    tell_progress(execution, run, verb, !signalled && !locked, error);
    return false;
}

static bool finish(struct execution *execution, const struct group_run *run, int64_t ms, struct error *error)
{
    AUTO(history_statement_free)
    struct history_statement *statement =
        run->backwards ? history_forget(execution->history, run->identity, run->version, run->index, ms)
                       : history_finish(execution->history, run->identity, run->version, ms);
    return send(execution, statement, error);
}

static bool run_groups(struct execution *execution, struct group_run *run, struct error *error)
{
    int64_t began = clock_ms();
    execution->now.echoed = run->done;
    for (size_t i = 0; i < run->script->group_count; i++) {
        const struct statement_group *group = &run->script->groups[i];
        if (group->first + group->count <= run->done)
            continue;
        if (interrupt_signal() != 0)
            return interrupt_error(error);
        if (!run_group(execution, run, group, began, error))
            return false;
        run->done = group->first + group->count;
        run->started = run->unconfirmed = false;
    }
    execution_echo(execution, run->script, SIZE_MAX);
    run->result->execution_ms = clock_ms() - began;
    postgres_shield(execution->postgres, true);
    bool good = finish(execution, run, run->result->execution_ms, error);
    postgres_shield(execution->postgres, false);
    return good;
}

/* Its statements are a round trip each anyway, so what it may leave is not looked for any closer; but
 * forgetting what is prepared would cost the scripts after it a planning of their record. */
static bool clean(struct execution *execution, const struct group_run *run, struct error *error)
{
    struct cleaning cleaning[CLEANING_MAX];
    size_t count = execution_cleaning(execution, run->script, cleaning);
    for (size_t i = 0; i < count; i++)
        if (!postgres_query(execution->postgres, cleaning[i].sql, cleaning[i].takes_key ? 1 : 0,
                            (const char *const[]){execution->lock_key}, NULL, error))
            return false;
    execution->leaves = LEAVES_ALL & ~(unsigned)LEAVES_PREPARED;
    return session_reset(execution->postgres, execution->options, error);
}

bool groups_run(struct execution *execution, struct group_run *run, struct error *error)
{
    execution->now.version = run->version;
    execution->now.index = run->index;
    execution->now.script = run->script;
    execution->now.statement = NULL;
    run->result->attempts = 1;
    run->result->bare = true;
    execution_tell(execution, (struct run_event){.type = RUN_BEGIN});
    if (!clean(execution, run, error) || !groups_check_unchanged(execution->history, run, error) ||
        !bare_check(execution->postgres, run, error) ||
        (run->begin != NULL && !send(execution, run->begin, error)))
        return false;
    return run_groups(execution, run, error) || stopped(execution, run, error);
}
