/* SPDX-License-Identifier: PostgreSQL */
#include "backup/tables.h"

#include "sql.h"
#include <string.h>

#define LOCK_BATCH_SIZE 100000 /* bytes of names in one LOCK, as pg_dump has it */

/* ---- reading ---- */

static void table_clear(struct table *table)
{
    free(table->oid);
    free(table->filenode);
    free(table->schema);
    free(table->name);
    free(table->qualified);
    free(table->columns);
    free(table->root);
    free(table->reason);
}

void tables_clear(struct tables *tables)
{
    for (size_t i = 0; i < tables->count; i++)
        table_clear(&tables->items[i]);
    free(tables->items);
    *tables = (struct tables){0};
}

static enum table_source choose_source(const struct rows *rows, size_t row, const struct table *table,
                                       const struct tables_options *options)
{
    if (rows_bool(rows, row, "unlogged") && rows_bool(rows, row, "standby"))
        return TABLE_SKIPPED;
    /* What partitions refuse elsewhere can go through their root, and what names an index can wait for it:
     * our streams know how. */
    bool special = (rows_bool(rows, row, "sorted") || rows_bool(rows, row, "naming")) &&
                   options->stream_larger_than < INT64_MAX;
    bool ours = !table->config && table->root == NULL && *table->columns != '\0' &&
                rows_bool(rows, row, "heap") && (special || table->bytes >= options->stream_larger_than);
    return ours ? TABLE_COPY : TABLE_DUMP;
}

static void read_table(const struct rows *rows, size_t row, const struct tables_options *options,
                       struct table *ret)
{
    *ret = (struct table){
        .oid = text_copy(rows_text(rows, row, "oid")),
        .filenode = text_copy(rows_text(rows, row, "filenode")),
        .schema = text_copy(rows_text(rows, row, "schema")),
        .name = text_copy(rows_text(rows, row, "name")),
        .columns = text_copy(rows_text(rows, row, "columns")),
        .bytes = rows_integer(rows, row, "bytes"),
        .pages = rows_integer(rows, row, "pages"),
        .partitioned = rows_bool(rows, row, "partitioned"),
        .config = rows_bool(rows, row, "config"),
        .root = text_copy(rows_text(rows, row, "root")),
        .ordered = rows_bool(rows, row, "ordered"),
    };
    OWNED char *schema = postgres_quote_name(ret->schema), *name = postgres_quote_name(ret->name);
    ret->qualified = text_format("%s.%s", schema, name);
    ret->source = choose_source(rows, row, ret, options);
    if (ret->source == TABLE_SKIPPED)
        ret->reason = text_copy("a standby cannot read an unlogged table");
}

bool tables_read(struct postgres *postgres, const struct tables_options *options, struct tables *ret,
                 struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    OWNED char *least = text_format("%lld", (long long)options->stream_larger_than);
    if (!postgres_query(postgres, sql_backup_tables, 1, (const char *const[]){least}, &rows, error))
        return false;
    size_t streamed = 0;
    *ret = (struct tables){.items = memory_allocate(rows_count(rows) + 1, sizeof *ret->items)};
    for (; ret->count < rows_count(rows); ret->count++) {
        struct table *table = &ret->items[ret->count];
        read_table(rows, ret->count, options, table);
        if (!table->partitioned && table->source == TABLE_COPY && ++streamed > options->most_streamed)
            table->source = TABLE_DUMP;
    }
    return true;
}

/* ---- comparing ---- */

static int by_oid(const void *a, const void *b)
{
    const struct table *const *first = a, *const *second = b;
    return strcmp((*first)->oid, (*second)->oid);
}

static const struct table **sorted_by_oid(const struct tables *tables)
{
    const struct table **sorted = memory_allocate(tables->count + 1, sizeof(struct table *));
    for (size_t i = 0; i < tables->count; i++)
        sorted[i] = &tables->items[i];
    qsort(sorted, tables->count, sizeof *sorted, by_oid);
    return sorted;
}

static char *difference(const struct table *table, const char *what)
{
    return text_format("table \"%s.%s\" was %s", table->schema, table->name, what);
}

static char *compare(const struct tables *before, const struct tables *after, bool all)
{
    OWNED const struct table **old = sorted_by_oid(before), **new = sorted_by_oid(after);
    size_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        int order = 0;
        if (i == before->count || j == after->count)
            order = i == before->count ? 1 : -1;
        else
            order = strcmp(old[i]->oid, new[j]->oid);
        if (order < 0 && all)
            return difference(old[i], "dropped");
        if (order > 0 && all)
            return difference(new[j], "created");
        if (order == 0 && !text_equal(old[i]->filenode, new[j]->filenode))
            return difference(new[j], "rewritten");
        i += order <= 0;
        j += order >= 0;
    }
    return NULL;
}

char *tables_difference(const struct tables *before, const struct tables *after)
{
    return compare(before, after, true);
}

char *tables_rewritten(const struct tables *before, const struct tables *after)
{
    return compare(before, after, false);
}

/* ---- locking ---- */

static bool lock_batch(struct postgres *postgres, const struct text_list *names, struct error *error)
{
    OWNED char *list = text_list_join(names, ", ");
    OWNED char *sql = postgres_bind(sql_backup_lock, (struct postgres_name[]){{"tables", list}, {0}});
    return names->count == 0 || postgres_execute(postgres, sql, error);
}

bool tables_lock(struct postgres *postgres, const struct tables *tables, bool streamed_only,
                 struct error *error)
{
    AUTO(text_list_clear) struct text_list names = {0};
    size_t size = 0;
    for (size_t i = 0; i < tables->count; i++) {
        const struct table *table = &tables->items[i];
        bool streamed = table->source == TABLE_COPY && !table->partitioned;
        if (table->source == TABLE_SKIPPED || (streamed_only && !streamed))
            continue;
        text_list_add(&names, text_format("ONLY %s", table->qualified));
        size += strlen(table->qualified) + 7;
        if (size < LOCK_BATCH_SIZE)
            continue;
        if (!lock_batch(postgres, &names, error))
            return false;
        text_list_clear(&names);
        size = 0;
    }
    return lock_batch(postgres, &names, error);
}

/* ---- cutting ---- */

static void add_ranges(const struct table *table, int64_t pieces, struct ranges *ret)
{
    int64_t step = (table->pages + pieces - 1) / pieces;
    for (int64_t first = 0; first == 0 || first < table->pages; first += step) {
        bool last = first + step >= table->pages;
        ret->items = memory_grow(ret->items, ret->count, sizeof *ret->items);
        ret->items[ret->count++] = (struct range){
            .table = table, .first = first, .last = last ? -1 : first + step, .whole = first == 0 && last};
        if (last)
            break;
    }
}

void tables_cut(const struct tables *tables, int64_t split_larger_than, bool can_cut, struct ranges *ret)
{
    for (size_t i = 0; i < tables->count; i++) {
        const struct table *table = &tables->items[i];
        if (table->source != TABLE_COPY || table->partitioned)
            continue;
        int64_t pieces = 1;
        if (can_cut && table->bytes > split_larger_than && table->pages > 1)
            pieces = (table->bytes + split_larger_than - 1) / split_larger_than;
        add_ranges(table, pieces < table->pages ? pieces : table->pages > 0 ? table->pages : 1, ret);
    }
}

/* ---- copying ---- */

char *range_statement(const struct range *range, bool binary, const char *encoding)
{
    const struct table *table = range->table;
    OWNED char *list = *table->columns == '\0' ? text_copy("") : text_format("(%s)", table->columns);
    OWNED char *first = text_format("(%lld,0)", (long long)range->first);
    OWNED char *last = text_format("(%lld,0)", (long long)range->last);
    const char *sql = range->whole      ? sql_backup_copy_table
                      : range->last < 0 ? sql_backup_copy_rest
                                        : sql_backup_copy_range;
    return postgres_bind(sql, (struct postgres_name[]){{"schema", table->schema},
                                                       {"name", table->name},
                                                       {"columns", range->whole ? list : table->columns},
                                                       {"format", binary ? "binary" : "text"},
                                                       {"encoding", encoding == NULL ? "UTF8" : encoding},
                                                       {"first", first},
                                                       {"last", last},
                                                       {0}});
}
