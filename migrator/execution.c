/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/execution.h"

#include "common/interrupt.h"
#include "migrator/session.h"
#include "migrator/variable.h"
#include "sql.h"
#include <string.h>
#include <strings.h>

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
    OWNED char *text = tells ? variable_hide(script, event.text) : NULL;
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

/* Look for blockers before the lock timeout strikes, and for progress when somebody watches. */
static void on_tick(void *context)
{
    struct execution *execution = context;
    int64_t now = clock_ms(), waited = now - execution->now.began_us / 1000;
    int64_t timeout = execution->now.lock_timeout_ms;
    int64_t patience =
        timeout > 0 && timeout * 8 / 10 < PROGRESS_INTERVAL_MS ? timeout * 8 / 10 : PROGRESS_INTERVAL_MS;
    bool told = execution->now.told_ms >= execution->now.began_us / 1000;
    if (waited < patience || (told && now - execution->now.told_ms < PROGRESS_INTERVAL_MS))
        return;
    execution->now.told_ms = now;
    char *blockers = observer_blockers(&execution->observer);
    if (blockers != NULL) {
        execution_tell(execution, (struct run_event){.type = RUN_BLOCKED, .text = blockers, .ms = waited});
        free(execution->blockers);
        execution->blockers = blockers;
        execution->now.told_ms = now + BLOCKED_INTERVAL_MS - PROGRESS_INTERVAL_MS;
        return;
    }
    if (!execution->options->progress)
        return;
    OWNED char *progress = observer_progress(&execution->observer);
    execution_tell(execution, (struct run_event){.type = RUN_PROGRESS, .text = progress, .ms = waited});
}

/* When a session began is told to the user who logged in, not to the role it works as. */
static bool look_at_session(struct execution *execution, struct rows **ret, struct error *error)
{
    struct postgres *postgres = execution->postgres;
    AUTO(rows_free) struct rows *rows = NULL;
    if (execution->options->role != NULL && !postgres_execute(postgres, sql_reset_role, error))
        return false;
    if (!postgres_query(postgres, sql_session_look, 0, NULL, &rows, error))
        return false;
    if (execution->options->role != NULL) {
        OWNED char *role = session_role(execution->options);
        if (!postgres_execute(postgres, role, error))
            return false;
    }
    *ret = take(rows);
    return true;
}

bool execution_begin(struct execution *execution, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!look_at_session(execution, &rows, error))
        return false;
    execution->backend_began = text_copy(rows_text(rows, 0, "backend_start"));
    execution->observer.watched = execution->postgres;
    execution->observer.pid = (int)rows_integer(rows, 0, "pid");
    postgres_set_hooks(execution->postgres,
                       &(struct postgres_hooks){.context = execution, .notice = on_notice, .tick = on_tick});
    return true;
}

bool execution_changes_begin(const struct script *script)
{
    return strcasestr(script->source->text, "default_transaction") != NULL ||
           strcasestr(script->source->text, "characteristics") != NULL;
}

void execution_uses(struct execution *execution, const struct script *script)
{
    execution->used = true;
    execution->defaults = execution->defaults || execution_changes_begin(script);
    execution->temporary = execution->temporary || strcasestr(script->source->text, "temp") != NULL;
    for (size_t i = 0; i < script->count && !execution->prepares; i++)
        execution->prepares = strncasecmp(script->items[i].text, "PREPARE", strlen("PREPARE")) == 0;
}

void execution_done(struct execution *execution)
{
    if (execution->backend_began != NULL)
        postgres_set_hooks(execution->postgres, NULL);
    observer_done(&execution->observer);
    free(take(execution->backend_began));
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
    return error_at(error, script->source->path, at.line, at.column);
}
