/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/catalog.h"

#include "sql.h"
#include <string.h>

struct deleted {
    int64_t relation, rows, inserted;
};

struct catalog {
    struct rows *columns; /* the names of the entries */
    struct catalog_entry *entries;
    size_t count;
    struct deleted *deleted;
    size_t deleted_count;
    bool counts;
};

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    rows_free(catalog->columns);
    free(catalog->entries);
    free(catalog->deleted);
    free(catalog);
}

static void keep_columns(struct catalog *catalog, struct rows *columns)
{
    catalog->columns = columns;
    catalog->count = rows_count(columns);
    catalog->entries = memory_allocate(catalog->count + 1, sizeof *catalog->entries);
    for (size_t row = 0; row < catalog->count; row++)
        catalog->entries[row] = (struct catalog_entry){.relation = rows_integer(columns, row, "relation"),
                                                       .number = rows_integer(columns, row, "number"),
                                                       .parent = rows_integer(columns, row, "parent"),
                                                       .file = rows_integer(columns, row, "file"),
                                                       .derived = rows_bool(columns, row, "derived"),
                                                       .partitioned = rows_bool(columns, row, "partitioned")};
}

static void keep_deleted(struct catalog *catalog, const struct rows *rows)
{
    catalog->deleted_count = rows_count(rows);
    catalog->deleted = memory_allocate(catalog->deleted_count + 1, sizeof *catalog->deleted);
    for (size_t row = 0; row < catalog->deleted_count; row++)
        catalog->deleted[row] = (struct deleted){.relation = rows_integer(rows, row, "relation"),
                                                 .rows = rows_integer(rows, row, "deleted"),
                                                 .inserted = rows_integer(rows, row, "inserted")};
}

bool catalog_read(struct postgres *postgres, const struct history *history, struct catalog **ret,
                  struct error *error)
{
    AUTO(catalog_free) struct catalog *catalog = memory_allocate(1, sizeof *catalog);
    AUTO(rows_free) struct rows *columns = NULL;
    AUTO(rows_free) struct rows *deleted = NULL;
    AUTO(rows_free) struct rows *counts = NULL;
    const char *values[] = {history->schema, history->table, history->log};
    if (!postgres_query(postgres, sql_dataloss_snapshot, 3, values, &columns, error) ||
        !postgres_query(postgres, sql_dataloss_deleted, 0, NULL, &deleted, error) ||
        !postgres_query(postgres, sql_dataloss_counts, 0, NULL, &counts, error))
        return false;
    keep_columns(catalog, take(columns));
    keep_deleted(catalog, deleted);
    catalog->counts = rows_bool(counts, 0, "counts");
    *ret = take(catalog);
    return true;
}

size_t catalog_size(const struct catalog *catalog)
{
    return catalog->count;
}

const struct catalog_entry *catalog_entry(const struct catalog *catalog, size_t row)
{
    return &catalog->entries[row];
}

bool catalog_begins(const struct catalog *catalog, size_t row)
{
    return row == 0 || catalog->entries[row].relation != catalog->entries[row - 1].relation;
}

size_t catalog_find(const struct catalog *catalog, int64_t relation, int64_t number)
{
    size_t low = 0, high = catalog->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct catalog_entry *at = &catalog->entries[middle];
        if (at->relation < relation || (at->relation == relation && at->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == catalog->count || catalog->entries[low].relation != relation)
        return CATALOG_NONE;
    return number == 0 || catalog->entries[low].number == number ? low : CATALOG_NONE;
}

bool catalog_has(const struct catalog *catalog, int64_t relation, int64_t number)
{
    return catalog_find(catalog, relation, number) != CATALOG_NONE;
}

int64_t catalog_deleted(const struct catalog *catalog, int64_t relation)
{
    for (size_t i = 0; i < catalog->deleted_count; i++)
        if (catalog->deleted[i].relation == relation)
            return catalog->deleted[i].rows;
    return 0;
}

int64_t catalog_unlinked(const struct catalog *catalog)
{
    return catalog_deleted(catalog, 0);
}

int64_t catalog_inserted(const struct catalog *catalog, int64_t relation)
{
    for (size_t i = 0; i < catalog->deleted_count; i++)
        if (catalog->deleted[i].relation == relation)
            return catalog->deleted[i].inserted;
    return 0;
}

bool catalog_counts(const struct catalog *catalog)
{
    return catalog->counts;
}

/* ---- names ---- */

static char *written(const char *name)
{
    bool plain = (*name >= 'a' && *name <= 'z') || *name == '_';
    for (const char *c = name; *c != '\0' && plain; c++)
        plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_';
    return plain ? text_copy(name) : postgres_quote_name(name);
}

char *catalog_name(const struct catalog *catalog, size_t row, bool column)
{
    OWNED char *schema = written(rows_text(catalog->columns, row, "schema"));
    OWNED char *table = written(rows_text(catalog->columns, row, "table"));
    if (!column)
        return text_format("%s.%s", schema, table);
    OWNED char *name = written(rows_text(catalog->columns, row, "column"));
    return text_format("%s.%s.%s", schema, table, name);
}

/* Rows of the table itself: parts and children that inherit are tables of their own. */
char *catalog_count(const struct catalog *catalog, size_t row, bool column)
{
    const char *name = rows_text(catalog->columns, row, "column");
    return postgres_bind(column ? sql_dataloss_count_column : sql_dataloss_count_rows,
                         (struct postgres_name[]){{"schema", rows_text(catalog->columns, row, "schema")},
                                                  {"table", rows_text(catalog->columns, row, "table")},
                                                  {"column", name == NULL ? "" : name},
                                                  {0}});
}

char *catalog_lock(const struct catalog *catalog, size_t row)
{
    return postgres_bind(sql_dataloss_lock,
                         (struct postgres_name[]){{"schema", rows_text(catalog->columns, row, "schema")},
                                                  {"table", rows_text(catalog->columns, row, "table")},
                                                  {0}});
}
