/* SPDX-License-Identifier: PostgreSQL */
#include "rollback/dataloss.h"

#include "sql.h"
#include <stdio.h>

#define COUNT_LIMIT 1000000

/* One state of the catalogs; rows are in order of relation and column number. */
struct snapshot {
    struct rows *columns;
    struct rows *deleted;
};

/* Something that disappeared, not yet counted. */
struct suspect {
    enum loss_kind kind;
    char *version;
    size_t at;    /* row of the first snapshot that names it */
    int64_t gone; /* LOSS_ROWS: rows deleted, or -1: count, and subtract what is left */
    int64_t left;
};

struct dataloss {
    struct postgres *postgres;
    const struct history *history;
    struct snapshot first, last;
    struct suspect *suspects;
    size_t count;
};

const char *loss_kind_name(enum loss_kind kind)
{
    static const char *const names[] = {
        [LOSS_TABLE] = "table", [LOSS_COLUMN] = "column", [LOSS_ROWS] = "rows"};
    return names[kind];
}

void data_losses_clear(struct data_losses *losses)
{
    for (size_t i = 0; i < losses->count; i++) {
        free(losses->items[i].object);
        free(losses->items[i].version);
    }
    free(losses->items);
    *losses = (struct data_losses){0};
}

static void snapshot_clear(struct snapshot *snapshot)
{
    rows_free(snapshot->columns);
    rows_free(snapshot->deleted);
    *snapshot = (struct snapshot){0};
}

void dataloss_free(struct dataloss *dataloss)
{
    if (dataloss == NULL)
        return;
    if (dataloss->last.columns != dataloss->first.columns)
        snapshot_clear(&dataloss->last);
    snapshot_clear(&dataloss->first);
    for (size_t i = 0; i < dataloss->count; i++)
        free(dataloss->suspects[i].version);
    free(dataloss->suspects);
    free(dataloss);
}

static bool take_snapshot(struct dataloss *dataloss, struct snapshot *ret, struct error *error)
{
    const struct history *history = dataloss->history;
    const char *values[] = {history->schema, history->table, history->log};
    struct snapshot snapshot = {0};
    if (!postgres_query(dataloss->postgres, sql_dataloss_snapshot, 3, values, &snapshot.columns, error) ||
        !postgres_query(dataloss->postgres, sql_dataloss_deleted, 0, NULL, &snapshot.deleted, error)) {
        snapshot_clear(&snapshot);
        return false;
    }
    *ret = snapshot;
    return true;
}

bool dataloss_begin(struct postgres *postgres, const struct history *history, struct dataloss **ret,
                    struct error *error)
{
    AUTO(dataloss_free) struct dataloss *dataloss = memory_allocate(1, sizeof *dataloss);
    dataloss->postgres = postgres;
    dataloss->history = history;
    if (!take_snapshot(dataloss, &dataloss->first, error))
        return false;
    dataloss->last = dataloss->first;
    *ret = take(dataloss);
    return true;
}

/* ---- comparing ---- */

/* The row of a relation (number 0: its first row) or of one of its columns; rows_count when it is not there.
 */
static size_t find(const struct rows *columns, int64_t relation, int64_t number)
{
    size_t low = 0, high = rows_count(columns);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t at = rows_integer(columns, middle, "relation");
        bool before = at < relation || (at == relation && rows_integer(columns, middle, "number") < number);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = rows_count(columns);
    if (low == end || rows_integer(columns, low, "relation") != relation)
        return end;
    return number == 0 || rows_integer(columns, low, "number") == number ? low : end;
}

static bool has(const struct rows *columns, int64_t relation, int64_t number)
{
    return find(columns, relation, number) < rows_count(columns);
}

static struct suspect *suspect(struct dataloss *dataloss, enum loss_kind kind, const char *version, size_t at)
{
    dataloss->suspects = memory_grow(dataloss->suspects, dataloss->count, sizeof *dataloss->suspects);
    struct suspect *new = &dataloss->suspects[dataloss->count++];
    *new = (struct suspect){.kind = kind, .version = text_copy(version), .at = at};
    return new;
}

static bool first_of_relation(const struct rows *columns, size_t row)
{
    return row == 0 || rows_integer(columns, row, "relation") != rows_integer(columns, row - 1, "relation");
}

/* A table that is gone is told once, by its topmost parent that went with it; a column by the table that owns
 * it. */
static void compare_objects(struct dataloss *dataloss, const struct snapshot *now, const char *version)
{
    const struct rows *first = dataloss->first.columns, *before = dataloss->last.columns;
    for (size_t row = 0; row < rows_count(first); row++) {
        int64_t relation = rows_integer(first, row, "relation"), number = rows_integer(first, row, "number");
        if (!has(before, relation, number) || has(now->columns, relation, number))
            continue;
        int64_t parent = rows_integer(first, row, "parent");
        bool parent_gone = parent != 0 && !has(now->columns, parent, 0);
        bool table_gone = !has(now->columns, relation, 0);
        if (table_gone && first_of_relation(first, row) && !parent_gone)
            suspect(dataloss, LOSS_TABLE, version, row);
        if (!table_gone && !rows_bool(first, row, "inherited"))
            suspect(dataloss, LOSS_COLUMN, version, row);
    }
}

static int64_t deleted_from(const struct rows *deleted, int64_t relation)
{
    for (size_t row = 0; row < rows_count(deleted); row++)
        if (rows_integer(deleted, row, "relation") == relation)
            return rows_integer(deleted, row, "deleted");
    return 0;
}

static void compare_deleted(struct dataloss *dataloss, const struct snapshot *now, const char *version)
{
    for (size_t row = 0; row < rows_count(now->deleted); row++) {
        int64_t relation = rows_integer(now->deleted, row, "relation");
        int64_t gone =
            rows_integer(now->deleted, row, "deleted") - deleted_from(dataloss->last.deleted, relation);
        size_t at = find(dataloss->first.columns, relation, 0);
        if (gone > 0 && at < rows_count(dataloss->first.columns) && has(now->columns, relation, 0))
            suspect(dataloss, LOSS_ROWS, version, at)->gone = gone;
    }
}

static char *bind_object(const struct rows *columns, size_t row, const char *sql)
{
    const char *column = rows_text(columns, row, "column");
    return postgres_bind(sql, (struct postgres_name[]){{"schema", rows_text(columns, row, "schema")},
                                                       {"table", rows_text(columns, row, "table")},
                                                       {"column", column == NULL ? "" : column},
                                                       {0}});
}

static bool count(struct dataloss *dataloss, const struct rows *columns, size_t row, const char *sql,
                  int64_t *ret, struct error *error)
{
    AUTO(rows_free) struct rows *counted = NULL;
    OWNED char *bound = bind_object(columns, row, sql);
    OWNED char *limit = text_format("%d", COUNT_LIMIT + 1);
    if (!postgres_query(dataloss->postgres, bound, 1, (const char *const[]){limit}, &counted, error))
        return false;
    *ret = rows_integer(counted, 0, "rows");
    return true;
}

/* A table whose file changed was rewritten or truncated: what is left is counted now, what was there later.
 */
static bool compare_files(struct dataloss *dataloss, const struct snapshot *now, const char *version,
                          struct error *error)
{
    const struct rows *before = dataloss->last.columns;
    for (size_t row = 0; row < rows_count(before); row++) {
        int64_t relation = rows_integer(before, row, "relation");
        size_t first = find(dataloss->first.columns, relation, 0), after = find(now->columns, relation, 0);
        if (!first_of_relation(before, row) || first == rows_count(dataloss->first.columns) ||
            after == rows_count(now->columns) ||
            rows_integer(now->columns, after, "file") == rows_integer(before, row, "file"))
            continue;
        int64_t left = 0;
        if (!count(dataloss, now->columns, after, sql_dataloss_count_rows, &left, error))
            return false;
        struct suspect *truncated = suspect(dataloss, LOSS_ROWS, version, first);
        truncated->gone = -1;
        truncated->left = left;
    }
    return true;
}

bool dataloss_step(struct dataloss *dataloss, const char *version, struct error *error)
{
    struct snapshot now = {0};
    if (!take_snapshot(dataloss, &now, error))
        return false;
    compare_objects(dataloss, &now, version);
    compare_deleted(dataloss, &now, version);
    bool good = compare_files(dataloss, &now, version, error);
    if (dataloss->last.columns != dataloss->first.columns)
        snapshot_clear(&dataloss->last);
    dataloss->last = now;
    return good;
}

/* ---- counting ---- */

static bool count_suspect(struct dataloss *dataloss, const struct suspect *suspect, int64_t *ret,
                          struct error *error)
{
    if (suspect->kind == LOSS_ROWS && suspect->gone >= 0) {
        *ret = suspect->gone;
        return true;
    }
    const char *sql = suspect->kind == LOSS_COLUMN ? sql_dataloss_count_column : sql_dataloss_count_rows;
    int64_t found = 0;
    if (!count(dataloss, dataloss->first.columns, suspect->at, sql, &found, error))
        return false;
    *ret = found - suspect->left;
    return true;
}

static char *object_name(const struct dataloss *dataloss, const struct suspect *suspect)
{
    const struct rows *columns = dataloss->first.columns;
    const char *schema = rows_text(columns, suspect->at, "schema"),
               *table = rows_text(columns, suspect->at, "table");
    if (suspect->kind != LOSS_COLUMN)
        return text_format("%s.%s", schema, table);
    return text_format("%s.%s.%s", schema, table, rows_text(columns, suspect->at, "column"));
}

bool dataloss_count(struct dataloss *dataloss, struct data_losses *ret, struct error *error)
{
    AUTO(data_losses_clear) struct data_losses losses = {0};
    for (size_t i = 0; i < dataloss->count; i++) {
        int64_t rows = 0;
        if (!count_suspect(dataloss, &dataloss->suspects[i], &rows, error))
            return false;
        if (rows <= 0)
            continue;
        bool more = dataloss->suspects[i].gone <= 0 && rows > COUNT_LIMIT;
        losses.items = memory_grow(losses.items, losses.count, sizeof *losses.items);
        losses.items[losses.count++] =
            (struct data_loss){.kind = dataloss->suspects[i].kind,
                               .object = object_name(dataloss, &dataloss->suspects[i]),
                               .version = text_copy(dataloss->suspects[i].version),
                               .rows = more ? COUNT_LIMIT : rows,
                               .at_least = more};
    }
    *ret = losses;
    losses = (struct data_losses){0};
    return true;
}
