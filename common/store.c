/* SPDX-License-Identifier: PostgreSQL */
#include "common/store.h"

#include "common/interrupt.h"
#include "sql.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS  10000
#define PAUSE_MS 20

struct store {
    sqlite3 *file;
    char *path;
    int64_t busy_since; /* 0: not waiting */
};

struct store_rows {
    struct text_list columns;
    struct text_list cells; /* row by row; NULL for NULL */
};

/* ---- errors ---- */

static bool damaged(const struct store *store, const char *detail, struct error *error)
{
    error_set(error, ERROR_FAILED, "\"%s\" is damaged", store->path);
    error_detail(error, "SQLite: %s", detail);
    return error_hint(error, "Move it away; a new one is made when there is something to keep.");
}

static bool failed(const struct store *store, struct error *error)
{
    const char *reason = sqlite3_errmsg(store->file);

    switch (sqlite3_errcode(store->file)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return damaged(store, reason, error);
    case SQLITE_BUSY:
        if (interrupt_signal() != 0)
            return interrupt_error(error);
        error_set(error, ERROR_LOCKED, "\"%s\" is being changed by another process", store->path);
        return error_hint(error, "Try again when that has finished.");
    case SQLITE_FULL:
        error_set(error, ERROR_FAILED, "could not write \"%s\": no space left", store->path);
        return error_hint(error, "Make room on its disk.");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        error_set(error, ERROR_FAILED, "could not open or write \"%s\": %s", store->path, reason);
        return error_hint(error, "Check the permissions of the file and of its folder.");
    default:
        return error_set(error, ERROR_FAILED, "could not use \"%s\": %s", store->path, reason);
    }
}

/* ---- statements ---- */

static void finalize_cleanup(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

static bool prepare(struct store *store, const char *sql, size_t count, const char *const values[],
                    sqlite3_stmt **ret, struct error *error)
{
    AUTO(finalize) sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(store->file, sql, -1, &statement, NULL) != SQLITE_OK)
        return failed(store, error);
    if (sqlite3_bind_parameter_count(statement) != (int)count)
        return error_set(error, ERROR_FAILED, "a statement for \"%s\" has %d parameters, but %zu values came",
                         store->path, sqlite3_bind_parameter_count(statement), count);
    for (size_t i = 0; i < count; i++)
        if (sqlite3_bind_text(statement, (int)i + 1, values[i], -1, SQLITE_STATIC) != SQLITE_OK)
            return failed(store, error);
    *ret = take(statement);
    return true;
}

static void add_row(struct store_rows *rows, sqlite3_stmt *statement)
{
    int columns = sqlite3_column_count(statement);

    for (int i = 0; i < columns; i++)
        text_list_add(&rows->cells, text_copy((const char *)sqlite3_column_text(statement, i)));
}

bool store_run(struct store *store, const char *sql, size_t count, const char *const values[],
               struct store_rows **ret, struct error *error)
{
    AUTO(finalize) sqlite3_stmt *statement = NULL;
    AUTO(store_rows_free) struct store_rows *rows = memory_allocate(1, sizeof *rows);
    int result;

    if (!prepare(store, sql, count, values, &statement, error))
        return false;
    for (int i = 0; i < sqlite3_column_count(statement); i++)
        text_list_add(&rows->columns, text_copy(sqlite3_column_name(statement, i)));
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        add_row(rows, statement);
    if (result != SQLITE_DONE)
        return failed(store, error);
    if (ret != NULL)
        *ret = take(rows);
    return true;
}

bool store_begin(struct store *store, struct error *error)
{
    return store_run(store, sql_store_begin, 0, NULL, NULL, error);
}

bool store_commit(struct store *store, struct error *error)
{
    return store_run(store, sql_store_commit, 0, NULL, NULL, error);
}

/* After some failures SQLite has done it already. */
void store_rollback(struct store *store)
{
    AUTO(error_clear) struct error ignored = {0};

    if (sqlite3_get_autocommit(store->file) == 0)
        (void)!store_run(store, sql_store_rollback, 0, NULL, NULL, &ignored);
}

/* ---- the file ---- */

/* Instead of sqlite3_busy_timeout(), whose wait no signal ends. */
static int wait_for_others(void *context, int attempts)
{
    struct store *store = context;

    if (attempts == 0)
        store->busy_since = clock_ms();
    return clock_ms() - store->busy_since < BUSY_MS && interrupt_sleep(PAUSE_MS);
}

/* How many scripts it has had. */
static bool look(struct store *store, size_t *ret_version, struct error *error)
{
    AUTO(store_rows_free) struct store_rows *rows = NULL;

    if (!store_run(store, sql_store_look, 0, NULL, &rows, error))
        return false;
    const char *health = store_rows_text(rows, 0, "health");
    if (!text_equal(health, "ok"))
        return damaged(store, health == NULL ? "unknown" : health, error);
    *ret_version = (size_t)store_rows_integer(rows, 0, "version");
    return true;
}

static bool check_version(const struct store *store, size_t version, size_t count, struct error *error)
{
    if (version <= count)
        return true;
    error_set(error, ERROR_FAILED, "\"%s\" was made by a newer pgmigrate", store->path);
    return error_hint(error, "Use that version.");
}

static bool run_script(struct store *store, const char *script, struct error *error)
{
    return sqlite3_exec(store->file, script, NULL, NULL, NULL) == SQLITE_OK || failed(store, error);
}

/* Under the lock, because another process may have been faster. */
static bool update_schema(struct store *store, const char *const scripts[], size_t count, struct error *error)
{
    size_t version = 0;

    if (!store_begin(store, error))
        return false;
    bool good = look(store, &version, error) && check_version(store, version, count, error);
    for (; good && version < count; version++)
        good = run_script(store, scripts[version], error);
    if (good && store_commit(store, error))
        return true;
    store_rollback(store);
    return false;
}

/* SQLite would create it readable for everybody. */
static bool create(const char *path, struct error *error)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int reason = errno;

    if (descriptor < 0 && access(path, R_OK) != 0)
        return error_set(error, ERROR_FAILED, "could not create \"%s\": %s", path, strerror(reason));
    if (descriptor >= 0)
        close(descriptor);
    return true;
}

bool store_open(const char *path, const char *const scripts[], struct store **ret, struct error *error)
{
    AUTO(store_close) struct store *store = memory_allocate(1, sizeof *store);
    /* ":memory:" and the like are names to SQLite. */
    OWNED char *name = path == NULL   ? text_copy(":memory:")
                       : *path == '/' ? text_copy(path)
                                      : text_format("./%s", path);
    size_t count = 0, version = 0;

    while (scripts[count] != NULL)
        count++;
    if (path != NULL && !create(path, error))
        return false;
    store->path = text_copy(path == NULL ? "memory" : path);
    if (sqlite3_open_v2(name, &store->file, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return failed(store, error);
    sqlite3_busy_handler(store->file, wait_for_others, store);
    if (!look(store, &version, error) || !check_version(store, version, count, error))
        return false;
    if (version < count && !update_schema(store, scripts, count, error))
        return false;
    *ret = take(store);
    return true;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    sqlite3_close(store->file);
    free(store->path);
    free(store);
}

/* ---- rows ---- */

size_t store_rows_count(const struct store_rows *rows)
{
    return rows->columns.count == 0 ? 0 : rows->cells.count / rows->columns.count;
}

const char *store_rows_text(const struct store_rows *rows, size_t row, const char *column)
{
    for (size_t i = 0; i < rows->columns.count; i++)
        if (strcmp(rows->columns.items[i], column) == 0)
            return rows->cells.items[row * rows->columns.count + i];
    fprintf(stderr, "pgmigrate: internal error: a statement returned no column \"%s\"\n", column);
    abort();
}

int64_t store_rows_integer(const struct store_rows *rows, size_t row, const char *column)
{
    const char *text = store_rows_text(rows, row, column);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

void store_rows_free(struct store_rows *rows)
{
    if (rows == NULL)
        return;
    text_list_clear(&rows->columns);
    text_list_clear(&rows->cells);
    free(rows);
}
