/* SPDX-License-Identifier: PostgreSQL */
/* The history's tables locked by somebody else: how long they are waited for, and who it is; or forbidden. */
#include "migrator/history.h"

#include "common/interrupt.h"
#include "migrator/observe.h"
#include "sql.h"
#include <string.h>

static bool is_locked(const struct error *error)
{
    return strcmp(error->sqlstate, "55P03") == 0;
}

/* Who has the table, or only who has or wants it alone; NULL for nobody. The lock is there still when it is
 * asked for. */
static char *holder_of(const struct history *history, const char *table, bool alone)
{
    AUTO(error_clear) struct error ignored = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *schema_quoted = postgres_quote_name(history->schema);
    OWNED char *table_quoted = postgres_quote_name(table);
    OWNED char *name = text_format("%s.%s", schema_quoted, table_quoted);
    const char *values[] = {NULL, name, alone ? "t" : "f"};
    return postgres_query(history->postgres, sql_session_blockers, 3, values, &rows, &ignored)
               ? observer_describe(rows)
               : NULL;
}

static bool explain_locked(const struct history *history, const char *what, bool alone, struct error *error)
{
    const char *table = history->table;
    OWNED char *holder = holder_of(history, table, alone);
    if (holder == NULL && (holder = holder_of(history, history->log, alone)) != NULL)
        table = history->log;
    error_set(error, ERROR_LOCKED, "the history table \"%s.%s\" is locked", history->schema, table);
    if (holder != NULL)
        error_detail(error, "%s it was %s.", what, holder);
    return error_hint(error, "Try again when that transaction has ended, or end its session.");
}

static void hint_reading(const struct history *history, struct error *error)
{
    OWNED char *schema = postgres_quote_name(history->schema), *table = postgres_quote_name(history->table);
    OWNED char *name = postgres_quote_name(history->log), *role = postgres_quote_name(history->role);
    OWNED char *log = history->has_log ? text_format(", %s.%s", schema, name) : text_copy("");
    error_hint(
        error,
        "Grant this role what is needed: GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON %s.%s%s TO %s. "
        "To look, this is enough; what it lacks to apply, \"pgmigrate doctor\" says then.",
        schema, role, schema, table, log, role);
}

bool history_unreadable(const struct history *history, struct error *error)
{
    if (is_locked(error))
        return explain_locked(history, "Reading", true, error);
    if (strcmp(error->sqlstate, "42501") == 0)
        hint_reading(history, error);
    history_explain(history, error);
    return error_prefix(error, "could not read the history");
}

bool history_unchangeable(const struct history *history, struct error *error)
{
    if (is_locked(error))
        return explain_locked(history, "Changing", false, error);
    history_explain(history, error);
    return false;
}

void history_add_patience(struct queries *queries)
{
    queries_add(queries, sql_history_patience, 0, NULL);
    queries->items[queries->count - 1].joined = true;
}

static bool write_once(const struct history *history, const struct history_statement *statement,
                       struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    history_add_patience(&queries);
    queries_add(&queries, statement->sql, statement->count, statement->values);
    if (!postgres_query_all(history->postgres, &queries, error))
        return false;
    if (queries.items[1].rows != NULL)
        return true;
    error_move(error, &queries.items[1].error);
    return false;
}

bool history_write(const struct history *history, const struct history_statement *statement, int64_t wait_ms,
                   struct error *error)
{
    int64_t deadline = clock_ms() + wait_ms;
    for (;;) {
        AUTO(error_clear) struct error failure = {0};
        if (write_once(history, statement, &failure))
            return true;
        if (is_locked(&failure) && clock_ms() < deadline && !postgres_is_lost(history->postgres))
            continue;
        error_move(error, &failure);
        return history_unchangeable(history, error);
    }
}
