/* SPDX-License-Identifier: PostgreSQL */
#include "backup/catalog.h"

#include "common/store.h"
#include "sql.h"
#include <errno.h>
#include <inttypes.h>

#define NAME "catalog.sqlite"

struct addition {
    char *file, *stamp, *id, *database, *taken_at, *bytes, *content;
};

struct catalog {
    struct store *store;
    struct store_rows *rows;
    bool *asked; /* by row */
    struct addition *additions;
    size_t count;
};

static void addition_clear(struct addition *addition)
{
    char *const texts[] = {addition->file,     addition->stamp, addition->id,     addition->database,
                           addition->taken_at, addition->bytes, addition->content};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
}

struct catalog *catalog_open(const char *folder)
{
    const char *const scripts[] = {sql_store_catalog_create, NULL};
    AUTO(error_clear) struct error ignored = {0};
    OWNED char *path = file_join(folder, NAME);
    struct store *store = NULL;
    struct store_rows *rows = NULL;

    if (!store_open(path, scripts, &store, &ignored))
        return NULL;
    if (!store_run(store, sql_store_catalog_read, 0, NULL, &rows, &ignored)) {
        store_close(store);
        return NULL;
    }
    struct catalog *catalog = memory_allocate(1, sizeof *catalog);
    catalog->store = store;
    catalog->rows = rows;
    catalog->asked = memory_allocate(store_rows_count(rows) + 1, sizeof *catalog->asked);
    return catalog;
}

const char *catalog_content(struct catalog *catalog, const char *file, const char *stamp)
{
    for (size_t i = 0; catalog && i < store_rows_count(catalog->rows); i++) {
        if (!text_equal(store_rows_text(catalog->rows, i, "file"), file))
            continue;
        catalog->asked[i] = true;
        return text_equal(store_rows_text(catalog->rows, i, "stamp"), stamp)
                   ? store_rows_text(catalog->rows, i, "content")
                   : NULL;
    }
    return NULL;
}

void catalog_add(struct catalog *catalog, const char *file, const char *stamp, const struct record *record,
                 const char *content)
{
    if (!catalog)
        return;
    catalog->additions = memory_grow(catalog->additions, catalog->count, sizeof *catalog->additions);
    catalog->additions[catalog->count++] = (struct addition){text_copy(file),
                                                             text_copy(stamp),
                                                             text_copy(record->id),
                                                             text_copy(record->database),
                                                             text_copy(record->taken_at),
                                                             text_format("%" PRId64, record->whole.bytes),
                                                             text_copy(content)};
}

static bool write_back(struct catalog *catalog, struct error *error)
{
    for (size_t i = 0; i < store_rows_count(catalog->rows); i++) {
        const char *file = store_rows_text(catalog->rows, i, "file");
        if (!catalog->asked[i] && !store_run(catalog->store, sql_store_catalog_delete, 1, &file, NULL, error))
            return false;
    }
    for (size_t i = 0; i < catalog->count; i++) {
        const struct addition *a = &catalog->additions[i];
        const char *values[] = {a->file, a->stamp, a->id, a->database, a->taken_at, a->bytes, a->content};
        if (!store_run(catalog->store, sql_store_catalog_put, 7, values, NULL, error))
            return false;
    }
    return true;
}

static bool is_changed(const struct catalog *catalog)
{
    for (size_t i = 0; i < store_rows_count(catalog->rows); i++)
        if (!catalog->asked[i])
            return true;
    return catalog->count > 0;
}

void catalog_close(struct catalog *catalog)
{
    AUTO(error_clear) struct error ignored = {0};

    if (!catalog)
        return;
    if (is_changed(catalog) && store_begin(catalog->store, &ignored) &&
        !(write_back(catalog, &ignored) && store_commit(catalog->store, &ignored)))
        store_rollback(catalog->store);
    for (size_t i = 0; i < catalog->count; i++)
        addition_clear(&catalog->additions[i]);
    free(catalog->additions);
    free(catalog->asked);
    store_rows_free(catalog->rows);
    store_close(catalog->store);
    free(catalog);
}

bool catalog_remove(const char *folder, struct error *error)
{
    OWNED char *path = file_join(folder, NAME), *journal = text_format("%s-journal", path);

    unlink(journal); /* it belongs to the file that goes */
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    const char *reason = strerror(errno);
    return error_set(error, ERROR_FAILED, "could not remove \"%s\": %s", path, reason);
}
