/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/history.h"

#include "migrator/adopt.h"
#include "sql.h"

#define NAME_LIMIT 63 /* NAMEDATALEN - 1: the server would cut a longer name without a word */

/* ---- names ---- */

/* The rest of a quoted name, after its first quote: a quote inside is written twice. False when it has no
 * end. */
static bool read_quoted(const char **at, char *name)
{
    for (const char *text = *at; *text != '\0'; text++) {
        if (*text == '"' && *++text != '"') {
            *at = text;
            return true;
        }
        *name++ = *text;
    }
    return false;
}

/* One part of a name as SQL reads it: a quoted one as it stands, any other in lower case. NULL when
 * malformed. */
static char *read_name(const char **at)
{
    OWNED char *name = memory_allocate(strlen(*at) + 1, 1);
    if (**at == '"') {
        ++*at;
        if (!read_quoted(at, name))
            return NULL;
    } else {
        for (char *end = name; **at != '\0' && **at != '.' && **at != '"'; ++*at)
            *end++ = **at >= 'A' && **at <= 'Z' ? (char)(**at - 'A' + 'a') : **at;
    }
    return *name == '\0' ? NULL : take(name);
}

static bool split_name(const char *name, char **ret_schema, char **ret_table, struct error *error)
{
    const char *at = name;
    OWNED char *first = read_name(&at);
    OWNED char *second = NULL;
    bool good = first != NULL;
    if (good && *at == '.') {
        at++;
        second = read_name(&at);
        good = second != NULL;
    }
    if (!good || *at != '\0') {
        error_set(error, ERROR_USAGE, "\"%s\" is not the name of a table", name);
        return error_hint(error, "Give history_table as table or schema.table.");
    }
    if (second != NULL && (text_starts_with(first, "pg_") || text_equal(first, "information_schema"))) {
        error_set(error, ERROR_USAGE, "the history cannot be kept in system schema \"%s\"", first);
        return error_hint(error, "Give history_table a schema of its own, such as pgmigrate.history.");
    }
    *ret_table = second != NULL ? take(second) : take(first);
    *ret_schema = first != NULL ? take(first) : text_copy("public");
    return true;
}

/* The same for everybody who works on this table, and for nobody else. */
static int64_t lock_key(const char *schema, const char *table)
{
    char hex[DIGEST_HEX_SIZE];
    struct digest *digest = digest_new();
    digest_add(digest, "pgmigrate", sizeof "pgmigrate");
    digest_add(digest, schema, strlen(schema) + 1);
    digest_add(digest, table, strlen(table) + 1);
    digest_finish(digest, hex);
    hex[16] = '\0';
    return (int64_t)strtoull(hex, NULL, 16);
}

/* ---- rows ---- */

/* The columns of sql/history_read.sql and history_read_any.sql. */
enum read_column {
    READ_VERSION,
    READ_DESCRIPTION,
    READ_APPLIED_AT,
    READ_APPLIED_BY,
    READ_FILE_NAME,
    READ_CHECKSUM,
    READ_EXECUTION_MS,
    READ_TRANSACTIONAL,
    READ_STATE,
    READ_STATEMENTS_DONE,
    READ_STATEMENTS_TOTAL,
    READ_STATEMENT_STARTED,
    READ_HAS_ROLLBACK,
    READ_ROLLBACK_CHECKSUM,
    READ_RUN_ID,
    READ_BACKUP_ID,
    READ_OUT_OF_ORDER,
    READ_SEQUENCE,
};

static int64_t integer_or(const char *text, int64_t absent)
{
    return text == NULL ? absent : strtoll(text, NULL, 10);
}

static const char *const state_names[] = {
    [ROW_APPLIED] = "applied", [ROW_RUNNING] = "running",   [ROW_FAILED] = "failed",
    [ROW_UNDOING] = "undoing", [ROW_BASELINE] = "baseline", [ROW_ARCHIVED] = "archived"};

const char *history_state_name(enum row_state state)
{
    return state_names[state];
}

/* A row written by a migration itself, or by hand, may say anything or nothing: it counts as applied. */
static enum row_state row_state(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof state_names / sizeof state_names[0]; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum row_state)i;
    return ROW_APPLIED;
}

bool history_row_is_foreign_failure(const struct history_row *row)
{
    return row->state == ROW_FAILED && row->statements_total < 0;
}

bool history_row_is_half_run(const struct history_row *row)
{
    return row->state == ROW_RUNNING || row->state == ROW_FAILED || row->state == ROW_UNDOING;
}

static struct history_row read_row(const struct rows *rows, size_t row)
{
    const char *value[READ_SEQUENCE + 1];
    for (size_t i = 0; i <= READ_SEQUENCE; i++)
        value[i] = rows_value(rows, row, i);
    return (struct history_row){
        .version = text_copy(value[READ_VERSION]),
        .description = text_copy(value[READ_DESCRIPTION]),
        .applied_at = text_copy(value[READ_APPLIED_AT]),
        .applied_by = text_copy(value[READ_APPLIED_BY]),
        .file_name = text_copy(value[READ_FILE_NAME]),
        .checksum = text_copy(value[READ_CHECKSUM]),
        .execution_ms = integer_or(value[READ_EXECUTION_MS], -1),
        .transactional = value[READ_TRANSACTIONAL] == NULL || *value[READ_TRANSACTIONAL] == 't',
        .state = row_state(value[READ_STATE]),
        .statements_done = integer_or(value[READ_STATEMENTS_DONE], -1),
        .statements_total = integer_or(value[READ_STATEMENTS_TOTAL], -1),
        .statement_started = integer_or(value[READ_STATEMENT_STARTED], -1),
        .has_rollback = value[READ_HAS_ROLLBACK] != NULL && *value[READ_HAS_ROLLBACK] == 't',
        .rollback_checksum = text_copy(value[READ_ROLLBACK_CHECKSUM]),
        .run_id = text_copy(value[READ_RUN_ID]),
        .backup_id = text_copy(value[READ_BACKUP_ID]),
        .out_of_order = value[READ_OUT_OF_ORDER] != NULL && *value[READ_OUT_OF_ORDER] == 't',
        .sequence = integer_or(value[READ_SEQUENCE], 0),
    };
}

static void row_clear(struct history_row *row)
{
    free(row->version);
    free(row->description);
    free(row->applied_at);
    free(row->applied_by);
    free(row->file_name);
    free(row->checksum);
    free(row->rollback_checksum);
    free(row->run_id);
    free(row->backup_id);
}

struct keyed_row {
    struct history_row row;
    struct version key;
};

static int compare_rows(const void *a, const void *b)
{
    const struct keyed_row *x = a, *y = b;
    if (x->key.stem != NULL && y->key.stem != NULL)
        return version_compare(&x->key, &y->key);
    if (x->key.stem == NULL && y->key.stem == NULL)
        return strcmp(x->row.version, y->row.version);
    return x->key.stem == NULL ? 1 : -1;
}

/* Tables that were there first may hold whole file names. */
static struct version key_of(const char *version)
{
    struct version key = {0};
    bool file = text_ends_with(version, ".sql");
    OWNED char *stem = text_copy_part(version, strlen(version) - (file ? strlen(".sql") : 0));
    if (!version_parse(stem, &key))
        return (struct version){0};
    return key;
}

static void clear_rows(struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        row_clear(&history->rows[i]);
        version_clear(&history->keys[i]);
    }
    free(history->rows);
    free(history->keys);
    history->rows = NULL;
    history->keys = NULL;
    history->count = history->half_run = 0;
}

static void keep_rows(struct history *history, const struct rows *rows)
{
    size_t count = rows_count(rows);
    OWNED struct keyed_row *keyed = memory_allocate(count + 1, sizeof *keyed);
    for (size_t i = 0; i < count; i++) {
        keyed[i].row = read_row(rows, i);
        if (keyed[i].row.version == NULL)
            keyed[i].row.version = text_copy("");
        keyed[i].key = key_of(keyed[i].row.version);
    }
    qsort(keyed, count, sizeof *keyed, compare_rows);
    history->rows = memory_allocate(count + 1, sizeof *history->rows);
    history->keys = memory_allocate(count + 1, sizeof *history->keys);
    history->count = count;
    for (size_t i = 0; i < count; i++) {
        history->rows[i] = keyed[i].row;
        history->keys[i] = keyed[i].key;
        history->half_run += history_row_is_half_run(&history->rows[i]) ? 1 : 0;
    }
}

/* What only the rows of a table that was there first can tell. */
static void judge_rows(struct history *history)
{
    char *reason = NULL;
    for (size_t i = 0; i < history->count && reason == NULL; i++) {
        const char *version = history->rows[i].version;
        if (*version == '\0')
            reason = text_copy("It has a row without a version.");
        else if (i > 0 && strcmp(version, history->rows[i - 1].version) == 0)
            reason = text_format("It has version \"%s\" more than once.", version);
    }
    if (reason == NULL)
        return;
    free(history->reason);
    history->reason = reason;
    history->shape = HISTORY_UNUSABLE;
    clear_rows(history);
}

static bool keep_answer(struct history *history, struct query *read, struct error *error)
{
    if (read->rows == NULL) {
        error_move(error, &read->error);
        return history_unreadable(history, error);
    }
    keep_rows(history, read->rows);
    return true;
}

static bool read_rows(struct history *history, const char *time_column, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    bool ours = history->shape == HISTORY_OURS;
    OWNED char *sql = history_sql(history, ours ? sql_history_read : sql_history_read_any, time_column);
    history_add_patience(&queries);
    queries_add(&queries, sql, 0, NULL);
    if (!postgres_query_all(history->postgres, &queries, error))
        return history_unreadable(history, error);
    if (!keep_answer(history, &queries.items[1], error))
        return false;
    if (!ours)
        judge_rows(history);
    return true;
}

/* ---- opening ---- */

static void clear_look(struct history *history)
{
    clear_rows(history);
    free(take(history->tool));
    free(take(history->reason));
    free(take(history->other_tool));
    free(take(history->other_table));
    free(take(history->oid));
    free(take(history->role));
}

/* Where the table was ours its rows were asked for together with the look, and elsewhere other tools' tables.
 */
static bool read_absent(struct history *history, struct query *tools, struct error *error)
{
    if (tools == NULL)
        return adopt_find_tool(history, &history->other_tool, &history->other_table, error);
    if (tools->rows == NULL) {
        error_move(error, &tools->error);
        return error_prefix(error, "could not look for other tools' history tables");
    }
    adopt_read_tool(tools->rows, &history->other_tool, &history->other_table);
    return true;
}

struct history_asked {
    struct adopt_questions questions;
    char *read;
    bool was_ours;
    size_t first; /* of the queries that are ours */
};

void history_asked_free(struct history_asked *asked)
{
    if (asked == NULL)
        return;
    adopt_questions_clear(&asked->questions);
    free(asked->read);
    free(asked);
}

struct history_asked *history_ask(const struct history *history, struct queries *queries)
{
    struct history_asked *asked = memory_allocate(1, sizeof *asked);
    asked->read = history_sql(history, sql_history_read, NULL);
    asked->was_ours = history->shape == HISTORY_OURS;
    asked->first = queries->count;
    adopt_ask(history, &asked->questions);
    history_add_patience(queries);
    queries_add(queries, sql_history_look, 3, asked->questions.look);
    queries->items[queries->count - 1].joined = true;
    if (asked->was_ours)
        queries_add(queries, asked->read, 0, NULL);
    else
        queries_add(queries, sql_history_tools, 3, asked->questions.tools);
    return asked;
}

bool history_answer(struct history *history, const struct history_asked *asked, struct queries *queries,
                    struct error *error)
{
    AUTO(table_look_clear) struct table_look look = {0};
    struct query *first = &queries->items[asked->first + 1], *second = first + 1;
    bool was_ours = asked->was_ours;
    if (first->rows == NULL) {
        error_move(error, &first->error);
        return history_unreadable(history, error);
    }
    adopt_read_look(first->rows, &look);
    clear_look(history);
    AUTO(table_verdict_clear) struct table_verdict verdict = table_judge(&look);
    history->shape = verdict.shape;
    history->tool = text_copy(verdict.tool);
    history->reason = take(verdict.reason);
    history->oid = text_copy(look.oid);
    history->role = take(look.role);
    history->has_log = look.has_log;
    history->has_schema = look.has_schema;
    history->may = look.may;
    switch (verdict.shape) {
    case HISTORY_ABSENT:
        return read_absent(history, was_ours ? NULL : second, error);
    case HISTORY_OURS:
        return was_ours ? keep_answer(history, second, error) : read_rows(history, NULL, error);
    case HISTORY_ADOPTABLE:
    case HISTORY_UNUSABLE:
        return verdict.time_column == NULL || read_rows(history, verdict.time_column, error);
    case HISTORY_FOREIGN:
        break;
    }
    return true;
}

bool history_refresh(struct history *history, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    AUTO(history_asked_free) struct history_asked *asked = history_ask(history, &queries);
    if (!postgres_query_all(history->postgres, &queries, error))
        return error_prefix(error, "could not look at the history table");
    return history_answer(history, asked, &queries, error);
}

bool history_named(struct postgres *postgres, const char *name, struct history **ret, struct error *error)
{
    AUTO(history_free) struct history *history = memory_allocate(1, sizeof *history);
    history->postgres = postgres;
    if (!split_name(name, &history->schema, &history->table, error))
        return false;
    history->log = text_format("%s_log", history->table);
    if (strlen(history->schema) > NAME_LIMIT || strlen(history->log) > NAME_LIMIT) {
        error_set(error, ERROR_USAGE, "the name of the history table \"%s\" is too long", name);
        return error_detail(error, "With \"_log\" behind it, it may have %d bytes.", NAME_LIMIT);
    }
    history->lock_key = lock_key(history->schema, history->table);
    *ret = take(history);
    return true;
}

bool history_open(struct postgres *postgres, const char *name, struct history **ret, struct error *error)
{
    AUTO(history_free) struct history *history = NULL;
    if (!history_named(postgres, name, &history, error) || !history_refresh(history, error))
        return false;
    *ret = take(history);
    return true;
}

/*
 * Whatever is unusual, trouble with privileges included, is left to the thorough look. The rows are asked for
 * in the same round trip; where there is no such table, the server refuses that.
 */
static bool glance(struct history *history, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *schema = postgres_quote_name(history->schema);
    OWNED char *table = postgres_quote_name(history->table);
    OWNED char *name = text_format("%s.%s", schema, table);
    OWNED char *read = history_sql(history, sql_history_read, NULL);
    queries_add(&queries, sql_history_glance, 1, (const char *const[]){name});
    history_add_patience(&queries);
    queries_add(&queries, read, 0, NULL);
    if (!postgres_query_all(history->postgres, &queries, error) || queries.items[0].rows == NULL)
        return false;
    history->shape = rows_bool(queries.items[0].rows, 0, "ours") ? HISTORY_OURS : HISTORY_ABSENT;
    error_move(error, &queries.items[2].error);
    if (history->shape != HISTORY_OURS || queries.items[2].rows == NULL)
        return false;
    keep_rows(history, queries.items[2].rows);
    return true;
}

bool history_open_quickly(struct postgres *postgres, const char *name, struct history **ret,
                          struct error *error)
{
    AUTO(history_free) struct history *history = NULL;
    if (!history_named(postgres, name, &history, error))
        return false;
    if (!glance(history, error)) {
        if (strcmp(error->sqlstate, "55P03") == 0)
            return history_unreadable(history, error);
        error_clear(error);
        if (!history_refresh(history, error))
            return false;
    }
    *ret = take(history);
    return true;
}

void history_free(struct history *history)
{
    if (history == NULL)
        return;
    clear_look(history);
    free(history->schema);
    free(history->table);
    free(history->log);
    free(history);
}

#define PREPARE_ATTEMPTS 3

/* Make what is missing, once. The caller looks again; that nothing is there was seen under the run lock. */
static bool make(struct history *history, bool *ret_raced, struct error *error)
{
    if (history->shape == HISTORY_ABSENT)
        return adopt_create(history, ret_raced, error);
    AUTO(table_look_clear) struct table_look look = {0};
    if (!adopt_look(history, &look, error))
        return false;
    AUTO(table_verdict_clear) struct table_verdict verdict = table_judge(&look);
    if (verdict.shape == HISTORY_ADOPTABLE)
        return adopt_table(history, &look, &verdict, ret_raced, error);
    return true;
}

/*
 * In the round trip that puts the trigger on a new log: for the owner may give back to himself
 * what was revoked. Not all may make one (plpgsql may be missing or forbidden): the log works without it, so
 * that is no error. Inside a transaction all will be undone anyway.
 */
static bool look_again(struct history *history, bool made, struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *function = history_sql(history, sql_history_guard_log, NULL);
    OWNED char *trigger = history_sql(history, sql_history_guard_trigger, NULL);
    if (made && postgres_transaction(history->postgres) == POSTGRES_IDLE) {
        queries_add(&queries, function, 0, NULL);
        queries_add(&queries, trigger, 0, NULL);
    }
    AUTO(history_asked_free) struct history_asked *asked = history_ask(history, &queries);
    if (!postgres_query_all(history->postgres, &queries, error))
        return error_prefix(error, "could not look at the history table");
    return history_answer(history, asked, &queries, error);
}

bool history_prepare(struct history *history, struct error *error)
{
    bool raced = true;
    for (int attempt = 0; attempt < PREPARE_ATTEMPTS && raced; attempt++) {
        bool makes = history->shape != HISTORY_OURS;
        raced = false;
        if (history->shape == HISTORY_FOREIGN || history->shape == HISTORY_UNUSABLE)
            return history_refuse(history, error);
        if (history->shape != HISTORY_OURS && !make(history, &raced, error))
            return false;
        history->shape = HISTORY_OURS; /* as is to be expected now */
        if (!look_again(history, makes, error))
            return false;
    }
    if (history->shape == HISTORY_OURS)
        return true;
    if (history->reason == NULL && history->shape == HISTORY_ABSENT)
        history->reason = text_copy("There is a type of that name, or another session keeps changing it.");
    else if (history->reason == NULL)
        history->reason = text_copy("Another session keeps changing it.");
    return history_refuse(history, error);
}

/* ---- what is fetched when needed ---- */

static bool query(const struct history *history, const char *sql, const char *value, struct rows **ret,
                  struct error *error)
{
    AUTO(queries_clear) struct queries queries = {0};
    OWNED char *bound = history_sql(history, sql, NULL);
    history_add_patience(&queries);
    queries_add(&queries, bound, 1, (const char *const[]){value});
    if (!postgres_query_all(history->postgres, &queries, error))
        return history_unreadable(history, error);
    struct query *answer = &queries.items[1];
    if (answer->rows == NULL) {
        error_move(error, &answer->error);
        return history_unreadable(history, error);
    }
    *ret = take(answer->rows);
    return true;
}

bool history_texts(const struct history *history, const char *version, struct history_texts *ret,
                   struct error *error)
{
    *ret = (struct history_texts){0};
    if (history->shape != HISTORY_OURS)
        return true;
    AUTO(rows_free) struct rows *rows = NULL;
    if (!query(history, sql_history_texts, version, &rows, error))
        return false;
    if (rows_count(rows) > 0) {
        ret->forward = text_copy(rows_text(rows, 0, "forward"));
        ret->rollback = text_copy(rows_text(rows, 0, "rollback"));
    }
    return true;
}

void history_texts_clear(struct history_texts *texts)
{
    free(texts->forward);
    free(texts->rollback);
    *texts = (struct history_texts){0};
}

bool history_hashes(const struct history *history, const char *version, struct text_list *ret,
                    struct error *error)
{
    *ret = (struct text_list){0};
    if (history->shape != HISTORY_OURS)
        return true;
    AUTO(rows_free) struct rows *rows = NULL;
    if (!query(history, sql_history_hashes, version, &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(ret, text_copy(rows_text(rows, i, "hash")));
    return true;
}

bool history_log(const struct history *history, size_t limit, struct rows **ret, struct error *error)
{
    if (!history->has_log)
        return postgres_query(history->postgres, sql_history_log_none, 0, NULL, ret, error);
    OWNED char *count = limit == 0 ? NULL : text_format("%zu", limit);
    return query(history, sql_history_log, count, ret, error);
}

bool history_rolled_back(const struct history *history, struct text_list *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (history->shape != HISTORY_OURS || !history->has_log)
        return true;
    if (!query(history, sql_history_rolled_back, "rolled_back", &rows, error))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        text_list_add(ret, text_copy(rows_text(rows, i, "version")));
    return true;
}
