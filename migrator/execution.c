/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/execution.h"

#include "common/interrupt.h"
#include "migrator/variable.h"
#include "sql.h"
#include <string.h>

#define PROGRESS_INTERVAL_MS 1000
#define BLOCKED_INTERVAL_MS  5000

void execution_tell(struct execution *execution, struct run_event event)
{
    const struct script *script = execution->now.script;
    event.version = execution->now.version;
    event.file = script == NULL ? NULL : script->source->path;
    event.index = execution->now.index;
    event.total = execution->total;
    if (event.line == 0 && execution->now.statement != NULL)
        event.line = execution->now.statement->line;
    event.statements = script == NULL ? 0 : script->count;
    bool tells = script != NULL && event.type == RUN_STATEMENT;
    OWNED char *text = tells ? variable_hide_own(script, execution->now.statement) : NULL;
    if (text != NULL)
        event.text = text;
    run_emit(execution->listener, &event);
}

void execution_echo(struct execution *execution, const struct script *script, size_t end)
{
    for (size_t i = 0; i < script->echo_count && !execution->dry_run; i++) {
        const struct script_echo *echo = &script->echoes[i];
        if (echo->before >= execution->now.echoed && echo->before < end)
            execution_tell(execution,
                           (struct run_event){.type = RUN_ECHO, .line = echo->line, .text = echo->text});
    }
    execution->now.echoed = end;
}

bool execution_is_watched(const struct execution *execution)
{
    return execution->options->watch != NULL && !execution->dry_run;
}

bool execution_look(struct execution *execution, struct run_look look, struct error *error)
{
    const struct run_watch *watch = execution->options->watch;
    bool one = look.moment == RUN_LOOK_BEFORE || look.moment == RUN_LOOK_AFTER;
    if (!execution_is_watched(execution) || (one && watch->whole))
        return true;
    look.version = execution->now.version;
    look.script = execution->now.script;
    look.backwards = execution->backwards;
    look.postgres = execution->postgres;
    look.pid = execution->session->pid;
    bool good = watch->look(watch->context, &look, error);
    execution->now.began_us = clock_us();
    return good || (error->file == NULL && look.statement != NULL
                        ? execution_place(look.script, look.statement, error)
                        : false);
}

void execution_ended(struct execution *execution, const struct statement *bare, bool committed, int64_t us)
{
    AUTO(error_clear) struct error ignored = {0};
    struct run_look look = {
        .moment = RUN_LOOK_ENDED, .bare = bare != NULL, .statement = bare, .committed = committed, .us = us};
    if (!execution_look(execution, look, &ignored))
        error_clear(&ignored);
}

static void on_notice(void *context, const struct notice *notice)
{
    const struct execution *execution = context;
    const struct script *script = execution->now.script;
    struct notice hidden = *notice;
    OWNED char *message = script == NULL ? NULL : variable_hide(script, notice->message);
    OWNED char *detail = script == NULL ? NULL : variable_hide(script, notice->detail);
    if (message != NULL)
        hidden.message = message;
    if (detail != NULL)
        hidden.detail = detail;
    execution_tell(context, (struct run_event){.type = RUN_NOTICE, .notice = &hidden});
}

const char *execution_blockers(const struct execution *execution)
{
    return execution->blocked == execution->now.index ? execution->blockers : NULL;
}

static void keep_blockers(struct execution *execution, char *blockers, int64_t waited)
{
    int64_t now = clock_ms();
    if (execution_blockers(execution) == NULL || now - execution->now.told_ms >= BLOCKED_INTERVAL_MS) {
        execution_tell(execution, (struct run_event){.type = RUN_BLOCKED, .text = blockers, .ms = waited});
        execution->now.told_ms = now;
    }
    free(execution->blockers);
    execution->blockers = blockers;
    execution->blocked = execution->now.index;
}

/* Blockers are looked for before the lock timeout strikes. */
static int64_t patience(const struct execution *execution)
{
    int64_t half = execution->now.lock_timeout_ms / 2;
    return execution->now.at_once ? 0 : half > 0 && half < PROGRESS_INTERVAL_MS ? half : PROGRESS_INTERVAL_MS;
}

/* Look for blockers, and for progress when somebody watches. */
static void on_tick(void *context)
{
    struct execution *execution = context;
    if (execution->now.began_us == 0)
        execution->now.began_us = clock_us();
    int64_t now = clock_ms(), began = execution->now.began_us / 1000;
    bool looked = execution->now.looked_ms >= began;
    if (now - began < patience(execution) ||
        (looked && now - execution->now.looked_ms < PROGRESS_INTERVAL_MS))
        return;
    execution->now.looked_ms = now;
    char *blockers = observer_blockers(&execution->observer);
    if (blockers != NULL) {
        keep_blockers(execution, blockers, now - began);
        return;
    }
    if (!execution->options->progress)
        return;
    OWNED char *progress = observer_progress(&execution->observer);
    execution_tell(execution, (struct run_event){.type = RUN_PROGRESS, .text = progress, .ms = now - began});
}

void execution_begin(struct execution *execution)
{
    execution->lock_key = text_format("%lld", (long long)execution->history->lock_key);
    execution->observer.watched = execution->postgres;
    execution->observer.pid = execution->session->pid;
    postgres_set_hooks(execution->postgres,
                       &(struct postgres_hooks){.context = execution, .notice = on_notice, .tick = on_tick});
}

/* What clears away each kind of leftover. */
static const struct {
    enum leftover kind;
    struct cleaning cleaning;
} leftovers[] = {
    {LEAVES_TEMPORARY, {.sql = sql_discard_temporary}},
    {LEAVES_PREPARED, {.sql = sql_deallocate_all}},
    {LEAVES_CURSORS, {.sql = sql_close_all}},
    {LEAVES_CHANNELS, {.sql = sql_unlisten}},
    {LEAVES_LOCKS, {.sql = sql_set_errors_only}},
    {LEAVES_LOCKS, {.sql = sql_lock_release_others, .takes_key = true}},
    {LEAVES_VALUES, {.sql = sql_discard_sequences}},
};
#define LEFTOVERS (sizeof leftovers / sizeof *leftovers)

void execution_uses(struct execution *execution, const struct script *script)
{
    execution->used = true;
    execution->defaults = execution->defaults || script->changes_begin;
    execution->leaves |= script->leaves & ~(unsigned)LEAVES_VALUES;
}

void execution_was_left(struct execution *execution, const struct rows *record)
{
    if (rows_count(record) == 0)
        return;
    execution->leaves |= (rows_bool(record, 0, "temporary") ? LEAVES_TEMPORARY : 0U) |
                         (rows_bool(record, 0, "cursors") ? LEAVES_CURSORS : 0U) |
                         (rows_bool(record, 0, "prepared") ? LEAVES_PREPARED : 0U);
}

/*
 * Any INSERT leaves values of currval and lastval, so it is the script that asks for them which pays. Inside
 * the one transaction of a dry run, locks of the transaction cannot be told from those of the session.
 */
size_t execution_cleaning(struct execution *execution, const struct script *next,
                          struct cleaning ret[CLEANING_MAX])
{
    size_t count = 0;
    for (size_t i = 0; execution->used && i < LEFTOVERS; i++) {
        enum leftover kind = leftovers[i].kind;
        bool wanted = ((kind == LEAVES_VALUES ? next->leaves : execution->leaves) & kind) != 0;
        if (wanted && !(kind == LEAVES_LOCKS && execution->dry_run))
            ret[count++] = leftovers[i].cleaning;
    }
    if ((execution->leaves & LEAVES_PREPARED) != 0)
        execution->prepared = execution->prepare_sent = NULL;
    execution->leaves &= execution->dry_run ? LEAVES_LOCKS : 0U;
    return count;
}

void execution_done(struct execution *execution)
{
    if (execution->observer.watched != NULL)
        postgres_set_hooks(execution->postgres, NULL);
    observer_done(&execution->observer);
    text_list_clear(&execution->invalid);
    free(take(execution->lock_key));
    free(take(execution->prepared_as));
    free(take(execution->blockers));
}

bool execution_place(const struct script *script, const struct statement *statement, struct error *error)
{
    struct text_position at = script_position(script, statement, error->statement_position);
    char *message = variable_hide(script, error->message), *detail = variable_hide(script, error->detail);
    if (message != NULL) {
        free(error->message);
        error->message = message;
    }
    if (detail != NULL) {
        free(error->detail);
        error->detail = detail;
    }
    run_explain_read_only(error);
    return error_at(error, script->source->path, at.line, at.column);
}
