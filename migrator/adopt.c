/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/adopt.h"

#include "sql.h"

char *history_name(const struct history *history)
{
    return text_format("%s.%s", history->schema, history->table);
}

char *history_sql(const struct history *history, const char *sql, const char *column)
{
    OWNED char *guard = text_format("%s_guard", history->log);
    const struct postgres_name names[] = {
        {"schema", history->schema},
        {"table", history->table},
        {"log", history->log},
        {"guard", guard},
        {column == NULL ? NULL : "column", column},
        {NULL, NULL},
    };
    return postgres_bind(sql, names);
}

/* ---- looking ---- */

static struct table_column read_column(const struct rows *rows, size_t row)
{
    const char *type = rows_text(rows, row, "type");
    return (struct table_column){
        .name = text_copy(rows_text(rows, row, "name")),
        .type_name = text_copy(type),
        .type = column_type(type),
        .limited = rows_bool(rows, row, "limited") || strcmp(type, "character") == 0,
        .not_null = rows_bool(rows, row, "not_null"),
        .has_default = rows_bool(rows, row, "has_default"),
        .fixed = rows_bool(rows, row, "fixed"),
        .unique = rows_bool(rows, row, "single_unique"),
        .deferrable = rows_bool(rows, row, "deferrable"),
        .dependent = text_copy(rows_text(rows, row, "dependent")),
        .check = text_copy(rows_text(rows, row, "check")),
    };
}

void adopt_read_look(const struct rows *rows, struct table_look *ret)
{
    struct table_look look = {0};
    look.role = text_copy(rows_text(rows, 0, "role"));
    look.has_log = rows_bool(rows, 0, "has_log");
    look.foreign_log = rows_bool(rows, 0, "foreign_log");
    look.has_schema = rows_bool(rows, 0, "has_schema");
    look.may = (struct history_rights){.create = rows_bool(rows, 0, "may_create"),
                                       .alter = rows_bool(rows, 0, "may_alter"),
                                       .insert = rows_bool(rows, 0, "may_insert"),
                                       .change = rows_bool(rows, 0, "may_change"),
                                       .log = rows_bool(rows, 0, "may_log")};
    if (rows_text(rows, 0, "oid") != NULL) {
        look.oid = text_copy(rows_text(rows, 0, "oid"));
        look.kind = *rows_text(rows, 0, "kind");
        look.hidden = rows_bool(rows, 0, "hidden");
        look.rule = text_copy(rows_text(rows, 0, "rule"));
        look.has_primary_key = rows_bool(rows, 0, "has_primary_key");
        look.beside_rails = rows_bool(rows, 0, "beside_rails");
        look.columns = memory_allocate(rows_count(rows), sizeof *look.columns);
        for (size_t i = 0; i < rows_count(rows); i++)
            if (rows_text(rows, i, "name") != NULL) /* a table without columns is one row of nulls */
                look.columns[look.count++] = read_column(rows, i);
    }
    *ret = look;
}

void adopt_read_tool(const struct rows *rows, char **ret_tool, char **ret_table)
{
    for (size_t i = 0; i < rows_count(rows); i++) {
        struct tool_table table = {
            .schema = rows_text(rows, i, "schema"),
            .table = rows_text(rows, i, "table"),
            .columns = rows_text(rows, i, "columns"),
            .version_type = rows_text(rows, i, "version_type"),
            .beside_rails = rows_bool(rows, i, "beside_rails"),
        };
        const char *tool = table.columns == NULL ? NULL : tool_of_table(&table);
        if (tool == NULL)
            continue;
        *ret_tool = text_copy(tool);
        *ret_table = text_format("%s.%s", table.schema, table.table);
        break;
    }
}

void adopt_ask(const struct history *history, struct adopt_questions *ret)
{
    char *names = tool_table_names();
    *ret = (struct adopt_questions){.look = {history->schema, history->table, history->log},
                                    .tools = {names, history->schema, history->table},
                                    .names = names};
}

void adopt_questions_clear(struct adopt_questions *questions)
{
    free(take(questions->names));
}

bool adopt_look(const struct history *history, struct table_look *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(adopt_questions_clear) struct adopt_questions questions;
    adopt_ask(history, &questions);
    if (!postgres_query(history->postgres, sql_history_look, 3, questions.look, &rows, error))
        return error_prefix(error, "could not look at the history table");
    adopt_read_look(rows, ret);
    return true;
}

bool adopt_find_tool(const struct history *history, char **ret_tool, char **ret_table, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(adopt_questions_clear) struct adopt_questions questions;
    adopt_ask(history, &questions);
    if (!postgres_query(history->postgres, sql_history_tools, 3, questions.tools, &rows, error))
        return error_prefix(error, "could not look for other tools' history tables");
    adopt_read_tool(rows, ret_tool, ret_table);
    return true;
}

bool history_refuse(const struct history *history, struct error *error)
{
    OWNED char *name = history_name(history);
    if (history->shape == HISTORY_FOREIGN) {
        error_set(error, ERROR_CONFLICT, "\"%s\" is the history table of %s", name, history->tool);
        return error_hint(
            error,
            "It is left alone. Set history_table to another name, and mark what was applied already with "
            "\"pgmigrate baseline VERSION\".");
    }
    error_set(error, ERROR_CONFLICT, "\"%s\" cannot be used as history table", name);
    error_detail(error, "%s", history->reason);
    return error_hint(error,
                      "Change that, or set history_table to another name and mark what was applied already "
                      "with \"pgmigrate baseline VERSION\".");
}

/* ---- making ---- */

#define DENIED "42501"

/* Several statements, sent as one: the server makes them one transaction. */
struct transaction {
    const struct history *history;
    FILE *stream;
    char *text;
    size_t size;
};

static struct transaction transaction_open(const struct history *history)
{
    struct transaction transaction = {.history = history};
    return transaction;
}

static void transaction_add(struct transaction *transaction, const char *sql, const char *column)
{
    if (transaction->stream == NULL)
        transaction->stream = open_memstream(&transaction->text, &transaction->size);
    OWNED char *bound = history_sql(transaction->history, sql, column);
    fprintf(transaction->stream, "%s;\n", bound);
}

/* Somebody else made the same thing at the same time. */
static bool is_race(const char *sqlstate)
{
    static const char *const states[] = {"23505", "42P06", "42P07", "42701", "42710", NULL};
    for (size_t i = 0; states[i] != NULL; i++)
        if (strcmp(sqlstate, states[i]) == 0)
            return true;
    return false;
}

/* Since PostgreSQL 15 nobody but the database's owner may create tables in schema public. */
static bool hint_denied(const struct history *history, struct error *error)
{
    OWNED char *schema = postgres_quote_name(history->schema), *table = postgres_quote_name(history->table);
    OWNED char *role = postgres_quote_name(history->role);
    OWNED char *database = postgres_quote_name(postgres_database(history->postgres));
    if (history->shape == HISTORY_ADOPTABLE && !history->may.alter)
        return error_hint(
            error,
            "Columns are added by the table's owner: run as that role with --role, or make this "
            "one the owner (ALTER TABLE %s.%s OWNER TO %s).",
            schema, table, role);
    if (!history->has_schema)
        return error_hint(
            error,
            "Make the schema for this role (CREATE SCHEMA %s AUTHORIZATION %s), or let it do so "
            "(GRANT CREATE ON DATABASE %s TO %s).",
            schema, role, database, role);
    return error_hint(error,
                      "Let this role create tables there (GRANT CREATE ON SCHEMA %s TO %s), or run as the "
                      "schema's owner with --role.",
                      schema, role);
}

static bool explain_making(const struct history *history, const char *what, struct error *error)
{
    OWNED char *name = history_name(history);
    error_prefix(error, "could not %s history table \"%s\"", what, name);
    if (strcmp(error->sqlstate, DENIED) == 0 && error->hint == NULL)
        hint_denied(history, error);
    if (strcmp(error->sqlstate, "0A000") == 0 || strcmp(error->sqlstate, "2BP01") == 0)
        error_hint(
            error,
            "Something depends on the column, such as a view: drop that and create it again afterwards, or "
            "choose another history_table.");
    return false;
}

static bool transaction_send(struct transaction *transaction, const char *what, bool *ret_raced,
                             struct error *error)
{
    fclose(transaction->stream);
    transaction->stream = NULL;
    OWNED char *text = take(transaction->text);
    AUTO(error_clear) struct error problem = {0};
    *ret_raced = false;
    if (postgres_execute(transaction->history->postgres, text, &problem))
        return true;
    if (is_race(problem.sqlstate)) {
        *ret_raced = true;
        return true;
    }
    error_move(error, &problem);
    return strcmp(error->sqlstate, "55P03") == 0 ? history_unchangeable(transaction->history, error)
                                                 : explain_making(transaction->history, what, error);
}

static bool deny(const char *right, const char *name, struct error *error)
{
    error_set(error, ERROR_FAILED, "%s %s", right, name);
    memcpy(error->sqlstate, DENIED, sizeof DENIED);
    return false;
}

static bool may_create(const struct history *history, struct error *error)
{
    if (history->may.create)
        return true;
    return history->has_schema
               ? deny("permission denied for schema", history->schema, error)
               : deny("permission denied for database", postgres_database(history->postgres), error);
}

static bool may_adopt(const struct history *history, struct error *error)
{
    if (!history->may.alter)
        return deny("must be owner of table", history->table, error);
    return history->has_log || may_create(history, error);
}

static bool may_write(const struct history *history, struct error *error)
{
    if (!history->may.change)
        return deny("permission denied for table", history->table, error);
    return history->may.log || deny("permission denied for table", history->log, error);
}

bool history_check_rights(const struct history *history, struct error *error)
{
    if (history->shape == HISTORY_ABSENT)
        return may_create(history, error) || explain_making(history, "create", error);
    if (!history->may.insert)
        return true;
    if (history->shape == HISTORY_ADOPTABLE)
        return may_adopt(history, error) || explain_making(history, "adopt", error);
    if (may_write(history, error))
        return true;
    history_explain(history, error);
    return false;
}

bool adopt_create(const struct history *history, bool *ret_raced, struct error *error)
{
    struct transaction transaction = transaction_open(history);
    transaction_add(&transaction, sql_history_quiet, NULL);
    if (!history->has_schema)
        transaction_add(&transaction, sql_history_create_schema, NULL);
    transaction_add(&transaction, sql_history_create, NULL);
    transaction_add(&transaction, sql_history_create_log, NULL);
    transaction_add(&transaction, sql_history_protect_log, NULL);
    return transaction_send(&transaction, "create", ret_raced, error);
}

static void add_times(struct transaction *transaction, const struct table_look *look, const char *time)
{
    const struct table_column *column = table_column(look, time);
    if (column->not_null && !column->has_default)
        transaction_add(transaction, sql_history_adopt_default, time);
    if (table_column(look, "applied_at") == NULL) {
        transaction_add(transaction, sql_history_adopt_applied_at, NULL);
        transaction_add(transaction, sql_history_adopt_time, time);
    }
    if (table_column(look, "applied_by") == NULL)
        transaction_add(transaction, sql_history_adopt_applied_by, NULL);
}

static void add_changed_columns(struct transaction *transaction, const struct table_look *look)
{
    for (const struct own_column *own = own_columns; own->name != NULL; own++) {
        const struct table_column *column = table_column(look, own->name);
        if (column == NULL)
            continue;
        if (column->limited && strcmp(own->name, "version") == 0)
            transaction_add(transaction, sql_history_adopt_version, NULL);
        else if (column->limited)
            transaction_add(transaction, sql_history_adopt_widen, own->name);
        if (column->not_null && !own->may_be_required)
            transaction_add(transaction, sql_history_adopt_nullable, own->name);
    }
}

static void add_sequence(struct transaction *transaction)
{
    transaction_add(transaction, sql_history_adopt_sequence, NULL);
    transaction_add(transaction, sql_history_adopt_number, NULL);
    transaction_add(transaction, sql_history_adopt_identity, NULL);
    transaction_add(transaction, sql_history_adopt_restart, NULL);
}

bool adopt_table(const struct history *history, const struct table_look *look,
                 const struct table_verdict *verdict, bool *ret_raced, struct error *error)
{
    struct transaction transaction = transaction_open(history);
    transaction_add(&transaction, sql_history_quiet, NULL);
    transaction_add(&transaction, sql_history_adopt_patience, NULL);
    add_changed_columns(&transaction, look);
    transaction_add(&transaction, sql_history_adopt_trim, NULL);
    transaction_add(&transaction, sql_history_adopt_columns, NULL);
    if (table_column(look, "state") == NULL)
        transaction_add(&transaction, sql_history_adopt_failed, NULL);
    add_times(&transaction, look, verdict->time_column);
    if (table_column(look, "sequence") == NULL)
        add_sequence(&transaction);
    if (!table_column(look, "version")->unique)
        transaction_add(&transaction,
                        look->has_primary_key ? sql_history_adopt_unique : sql_history_adopt_key, NULL);
    transaction_add(&transaction, sql_history_create_log, NULL);
    transaction_add(&transaction, sql_history_protect_log, NULL);
    transaction_add(&transaction, sql_history_adopt_note, NULL);
    return transaction_send(&transaction, "adopt", ret_raced, error);
}
