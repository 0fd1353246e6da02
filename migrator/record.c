/* SPDX-License-Identifier: PostgreSQL */
/* The statements that change the history: SQL and parameters, to be sent in the transaction they belong to.
 */
#include "migrator/adopt.h"
#include "migrator/run.h"
#include "sql.h"
#include <inttypes.h>

/* ---- building ---- */

#define PARAMETER_LIMIT 22

static struct history_statement *build(const struct history *history, const char *name, const char *sql)
{
    struct history_statement *statement = memory_allocate(1, sizeof *statement);
    statement->values = memory_allocate(PARAMETER_LIMIT, sizeof *statement->values);
    statement->owned = memory_allocate(PARAMETER_LIMIT + 2, sizeof *statement->owned);
    statement->owned[0] = history_sql(history, sql, NULL);
    statement->sql = statement->owned[0];
    statement->name = name;
    return statement;
}

void history_statement_free(struct history_statement *statement)
{
    if (statement == NULL)
        return;
    for (size_t i = 0; statement->owned[i] != NULL; i++)
        free(statement->owned[i]);
    free(statement->owned);
    free(statement->values);
    free(statement);
}

static void add(struct history_statement *statement, const char *value)
{
    if (statement->count == PARAMETER_LIMIT)
        abort();
    statement->values[statement->count++] = value;
}

static void add_owned(struct history_statement *statement, char *value)
{
    size_t used = 0;
    while (statement->owned[used] != NULL)
        used++;
    if (value != NULL)
        statement->owned[used] = value;
    add(statement, value);
}

static void add_integer(struct history_statement *statement, int64_t value)
{
    add_owned(statement, text_format("%" PRId64, value));
}

static void add_bool(struct history_statement *statement, bool value)
{
    add(statement, value ? "true" : "false");
}

/* $1 to $4 of every guarded statement; the run lock's witness has the two halves of its key. */
static void add_guard(struct history_statement *statement, const struct history *history)
{
    OWNED char *schema = postgres_quote_name(history->schema);
    OWNED char *table = postgres_quote_name(history->table);
    uint64_t key = (uint64_t)history->lock_key;
    add_owned(statement, text_format("%s.%s", schema, table));
    add(statement, history->oid);
    add_integer(statement, (int32_t)(key >> 32));
    add_integer(statement, (int32_t)(key & UINT32_MAX));
}

static struct history_statement *build_guarded(const struct history *history, const char *name,
                                               const char *sql)
{
    struct history_statement *statement = build(history, name, sql);
    add_guard(statement, history);
    return statement;
}

/* Description, file name, checksum, its version. */
static void add_file(struct history_statement *statement, const struct migration *migration)
{
    add(statement, migration->version.description);
    add(statement, migration->forward.path == NULL ? NULL : file_name(migration->forward.path));
    add(statement, migration->forward.checksum);
    add_integer(statement, CHECKSUM_VERSION);
}

/* Rollback checksum, forward text, rollback text. */
static void add_texts(struct history_statement *statement, const struct migration *migration)
{
    bool has_rollback = migration_has_rollback(migration);
    add(statement, has_rollback ? migration->rollback.checksum : NULL);
    add(statement, migration->forward.text);
    add(statement, has_rollback ? migration->rollback.text : NULL);
}

/* Run id, tool version, git commit. */
static void add_run(struct history_statement *statement, const struct run_identity *identity)
{
    add(statement, identity->run_id);
    add(statement, identity->tool_version);
    add(statement, identity->git_commit);
}

static bool has_row(const struct history *history, const char *version)
{
    AUTO(version_clear) struct version key = {0};
    if (!version_parse(version, &key))
        return false;
    for (size_t low = 0, high = history->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(history->rows[middle].version, version) == 0)
            return true;
        if (history->keys[middle].stem == NULL || version_compare(&key, &history->keys[middle]) < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/*
 * The numbers under which a migration may write a row of its own, as written and without leading zeros. One
 * that was there before belongs to somebody else and is left alone.
 */
static void add_bare_numbers(struct history_statement *statement, const struct history *history,
                             const struct version *version)
{
    OWNED char *written = text_format("%s%s", version->digits, version->suffix);
    OWNED char *number = text_format("%s%s", version->number, version->suffix);
    bool same_as_stem = strcmp(written, version->stem) == 0;
    add_owned(statement, same_as_stem || has_row(history, written) ? NULL : take(written));
    bool number_is_stem = strcmp(number, version->stem) == 0;
    add_owned(statement, number_is_stem || has_row(history, number) ? NULL : take(number));
}

/* An array of texts as the server reads it. */
static char *array_of(const struct text_list *list)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fputc('{', stream);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i == 0 ? "\"" : ",\"", stream);
        for (const char *c = list->items[i]; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                fputc('\\', stream);
            fputc(*c, stream);
        }
        fputc('"', stream);
    }
    fputc('}', stream);
    fclose(stream);
    return text;
}

/* ---- applying ---- */

/* The versions that have rows. */
static char *known_versions(const struct history *history)
{
    struct text_list versions = {0};
    for (size_t i = 0; i < history->count; i++)
        text_list_add(&versions, text_copy(history->rows[i].version));
    char *array = array_of(&versions);
    text_list_clear(&versions);
    return array;
}

struct history_statement *history_record(const struct history *history, const struct run_identity *identity,
                                         const struct migration *migration, bool out_of_order)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_record", sql_history_record);
    add(statement, migration->version.stem);
    add_bare_numbers(statement, history, &migration->version);
    add_file(statement, migration);
    add_texts(statement, migration);
    add_bool(statement, out_of_order);
    add_run(statement, identity);
    add(statement, identity->backup_id);
    add(statement, identity->reason);
    int64_t done = (int64_t)(history->count - history->half_run);
    add_integer(statement, has_row(history, migration->version.stem) ? done - 1 : done);
    bool may_write = strcasestr(migration->forward.text, history->table) != NULL;
    add_owned(statement, may_write ? known_versions(history) : NULL);
    return statement;
}

struct history_statement *history_begin(const struct history *history, const struct run_identity *identity,
                                        const struct migration *migration, bool out_of_order,
                                        const struct text_list *hashes)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_begin", sql_history_begin);
    add(statement, migration->version.stem);
    add_file(statement, migration);
    add_texts(statement, migration);
    add_bool(statement, out_of_order);
    add_run(statement, identity);
    add(statement, identity->backup_id);
    add_owned(statement, array_of(hashes));
    return statement;
}

struct history_statement *history_started(const struct history *history, const char *version, size_t started)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_started", sql_history_started);
    add(statement, version);
    add_integer(statement, (int64_t)started);
    return statement;
}

struct history_statement *history_advance(const struct history *history, const char *version, size_t done,
                                          int64_t execution_ms)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_advance", sql_history_advance);
    add(statement, version);
    add_integer(statement, (int64_t)done);
    add_integer(statement, execution_ms);
    return statement;
}

struct history_statement *history_finish(const struct history *history, const struct run_identity *identity,
                                         const char *version, int64_t execution_ms)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_finish", sql_history_finish);
    add(statement, version);
    add_integer(statement, execution_ms);
    add_owned(statement, known_versions(history));
    add_run(statement, identity);
    add(statement, identity->backup_id);
    add(statement, identity->reason);
    return statement;
}

static struct history_statement *add_failure(struct history_statement *statement,
                                             const struct run_identity *identity, const char *version,
                                             const char *message, bool backwards)
{
    add(statement, version);
    add(statement, identity->run_id);
    add(statement, message);
    add(statement, identity->tool_version);
    add(statement, identity->git_commit);
    add(statement, identity->backup_id);
    add(statement, identity->reason);
    add(statement, backwards ? "rollback_failed" : "failed");
    return statement;
}

struct history_statement *history_fail(const struct history *history, const struct run_identity *identity,
                                       const char *version, const char *message)
{
    return add_failure(build(history, "pgmigrate_fail", sql_history_fail), identity, version, message, false);
}

struct history_statement *history_undo_fail(const struct history *history,
                                            const struct run_identity *identity, const char *version,
                                            const char *message)
{
    return add_failure(build(history, "pgmigrate_fail", sql_history_fail), identity, version, message, true);
}

struct history_statement *history_lost(const struct history *history, const struct run_identity *identity,
                                       const char *version, const char *message, bool backwards)
{
    return add_failure(build(history, "pgmigrate_lost", sql_history_lost), identity, version, message,
                       backwards);
}

/* ---- taking back, marking ---- */

static struct history_statement *forget(const struct history *history, const struct run_identity *identity,
                                        const char *version, const char *action, size_t taken,
                                        int64_t execution_ms)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_forget", sql_history_forget);
    add(statement, version);
    add(statement, action);
    add_run(statement, identity);
    add(statement, identity->backup_id);
    add(statement, identity->reason);
    add_integer(statement, (int64_t)history->count - (int64_t)taken - 1);
    add_integer(statement, execution_ms);
    return statement;
}

struct history_statement *history_forget(const struct history *history, const struct run_identity *identity,
                                         const char *version, size_t taken, int64_t execution_ms)
{
    return forget(history, identity, version, "rolled_back", taken, execution_ms);
}

struct history_statement *history_mark_rolled_back(const struct history *history,
                                                   const struct run_identity *identity, const char *version)
{
    return forget(history, identity, version, "mark_rolled_back", 0, -1);
}

static struct history_statement *progress(const struct history *history, const char *version,
                                          enum row_state state, int64_t done, int64_t started,
                                          const struct text_list *hashes)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_undo", sql_history_undo);
    add(statement, version);
    add(statement, history_state_name(state));
    add_owned(statement, done < 0 ? NULL : text_format("%" PRId64, done));
    add_owned(statement, started < 0 ? NULL : text_format("%" PRId64, started));
    add_owned(statement, hashes->count == 0 ? NULL : array_of(hashes));
    return statement;
}

struct history_statement *history_undo(const struct history *history, const char *version,
                                       const struct text_list *hashes, size_t done, int64_t started)
{
    return progress(history, version, ROW_UNDOING, (int64_t)done, started, hashes);
}

struct history_statement *history_put_back(const struct history *history, const struct history_row *row,
                                           const struct text_list *hashes)
{
    return progress(history, row->version, row->state, row->statements_done, row->statement_started, hashes);
}

static struct history_statement *mark(const struct history *history, const struct run_identity *identity,
                                      const struct migration *migration, const char *action)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_mark", sql_history_mark);
    add(statement, migration->version.stem);
    add_file(statement, migration);
    add_texts(statement, migration);
    add_bool(statement, !migration->directives.no_transaction);
    add_run(statement, identity);
    add(statement, identity->backup_id);
    add(statement, identity->reason);
    add(statement, action);
    return statement;
}

struct history_statement *history_baseline(const struct history *history, const struct run_identity *identity,
                                           const struct migration *migration)
{
    return mark(history, identity, migration, "baseline");
}

struct history_statement *history_mark_applied(const struct history *history,
                                               const struct run_identity *identity,
                                               const struct migration *migration)
{
    return mark(history, identity, migration, "mark_applied");
}

struct history_statement *history_accept_checksum(const struct history *history,
                                                  const struct run_identity *identity, const char *version,
                                                  const struct migration *migration)
{
    struct history_statement *statement =
        build_guarded(history, "pgmigrate_accept_checksum", sql_history_accept_checksum);
    add(statement, version);
    add(statement, migration->version.stem);
    add_file(statement, migration);
    add_texts(statement, migration);
    add_run(statement, identity);
    add(statement, identity->reason);
    return statement;
}

struct history_statement *history_archive(const struct history *history, const struct run_identity *identity,
                                          const char *version)
{
    struct history_statement *statement = build_guarded(history, "pgmigrate_archive", sql_history_archive);
    add(statement, version);
    add_run(statement, identity);
    add(statement, identity->reason);
    return statement;
}

/* ---- what the server's answer means ---- */

static bool names_setting(const struct error *error, const char *setting)
{
    return strcmp(error->sqlstate, "42704") == 0 && error->message != NULL &&
           strstr(error->message, setting) != NULL;
}

/* Replace the server's words; its SQLSTATE and the place in the file stay. */
static void say(struct error *error, const char *message, const char *detail, const char *hint)
{
    AUTO(error_clear) struct error server = {0};
    error_move(&server, error);
    error_set(error, ERROR_FAILED, "%s", message);
    error_detail(error, "%s", detail);
    error_hint(error, "%s", hint);
    memcpy(error->sqlstate, server.sqlstate, sizeof error->sqlstate);
    if (server.file != NULL)
        error_at(error, server.file, server.line, server.column);
}

static void explain_history_table(const struct history *history, struct error *error, const char *what)
{
    bool is_log = error->message != NULL && strstr(error->message, history->log) != NULL;
    OWNED char *message = text_format("the history table \"%s.%s\" was %s meanwhile", history->schema,
                                      is_log ? history->log : history->table, what);
    say(error, message, "What this transaction did was rolled back.",
        "A migration must leave the history table alone, but for rows of its own.");
}

static bool is_state(const struct error *error, const char *state)
{
    return strcmp(error->sqlstate, state) == 0;
}

static void hint_grants(const struct history *history, struct error *error)
{
    OWNED char *schema = postgres_quote_name(history->schema), *table = postgres_quote_name(history->table);
    OWNED char *log = postgres_quote_name(history->log), *role = postgres_quote_name(history->role);

    error_hint(error,
               "Grant this role what is needed: GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT, INSERT, "
               "UPDATE, DELETE ON %s.%s TO %s; GRANT SELECT, INSERT ON %s.%s TO %s.",
               schema, role, schema, table, role, schema, log, role);
}

/* What the server says by itself. */
static void explain_state(const struct history *history, struct error *error)
{
    const char *schema = history->schema;
    if (is_state(error, "26000"))
        say(error, "the prepared statements of the session were deallocated",
            "What this transaction did was rolled back.",
            "Write DEALLOCATE into the script itself, where it is seen, instead of a function.");
    else if (is_state(error, "42P01"))
        explain_history_table(history, error, "dropped");
    else if (is_state(error, "42703") || is_state(error, "42P10"))
        explain_history_table(history, error, "changed");
    else if (is_state(error, "25006") && error->hint == NULL)
        run_explain_read_only(error);
    else if (strncmp(error->sqlstate, "23", 2) == 0 && error->hint == NULL)
        error_hint(
            error,
            "Table %s.%s has a constraint or trigger that was there before pgmigrate: take it away, or use "
            "another table (history_table).",
            schema, history->table);
    else if (is_state(error, "42501") && error->hint == NULL)
        hint_grants(history, error);
}

void history_explain(const struct history *history, struct error *error)
{
    if (names_setting(error, "pgmigrate.run_lock_lost"))
        say(error, "the run lock was lost",
            "What this transaction did was rolled back, because another run may have begun.",
            "A migration must not release advisory locks it did not take (pg_advisory_unlock_all, DISCARD "
            "ALL).");
    else if (names_setting(error, "pgmigrate.history_replaced"))
        explain_history_table(history, error, "replaced");
    else if (names_setting(error, "pgmigrate.history_emptied"))
        explain_history_table(history, error, "emptied");
    else if (names_setting(error, "pgmigrate.history_rows_gone"))
        explain_history_table(history, error, "robbed of other migrations' rows");
    else if (names_setting(error, "pgmigrate.history_row_of_another"))
        say(error, "the migration wrote a row of another version into the history table",
            "What this transaction did was rolled back.",
            "A script may write the row of its own number and no other; what was applied by other means is "
            "marked with \"pgmigrate repair VERSION --mark-applied\" or \"pgmigrate baseline\".");
    else if (names_setting(error, "pgmigrate.history_row_gone"))
        explain_history_table(history, error, "robbed of the row");
    else if (names_setting(error, "pgmigrate.history_version_changed"))
        say(error, "the history table has written another version than it was given",
            "What this transaction did was rolled back.",
            "A trigger of the table changes it: take that away, or use another table (history_table).");
    else if (names_setting(error, "pgmigrate.encoding_changed"))
        say(error, "the migration changed client_encoding", "What this transaction did was rolled back.",
            "Migrations are UTF-8: remove the SET, or set it to UTF8.");
    else
        explain_state(history, error);
}
