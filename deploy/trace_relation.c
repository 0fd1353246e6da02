/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/trace_relation.h"

#include "sql.h"
#include <string.h>

static void clear_items(struct trace_relations *relations)
{
    for (size_t i = 0; i < relations->count; i++)
        free(relations->items[i].name);
    free(relations->items);
    relations->items = NULL;
    relations->count = 0;
}

void trace_relations_clear(struct trace_relations *relations)
{
    clear_items(relations);
    *relations = (struct trace_relations){0};
}

void trace_changes_clear(struct trace_changes *changes)
{
    free(changes->items);
    *changes = (struct trace_changes){0};
}

/* The place of an oid, or where it belongs. */
static size_t place_of(const struct trace_relations *relations, int64_t oid)
{
    size_t low = 0, high = relations->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (relations->items[middle].oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct trace_relation *trace_relations_find(const struct trace_relations *relations, int64_t oid)
{
    size_t at = place_of(relations, oid);
    return at < relations->count && relations->items[at].oid == oid ? &relations->items[at] : NULL;
}

static struct trace_relation read_row(const struct rows *rows, size_t row)
{
    return (struct trace_relation){.oid = rows_integer(rows, row, "oid"),
                                   .table = rows_integer(rows, row, "table"),
                                   .file = rows_integer(rows, row, "file"),
                                   .kind = *rows_text(rows, row, "kind"),
                                   .bytes = rows_integer(rows, row, "bytes"),
                                   .scans = rows_integer(rows, row, "scans"),
                                   .written = rows_integer(rows, row, "written")};
}

bool trace_relations_read(struct postgres *postgres, const struct history *history,
                          struct trace_relations *ret, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *values[] = {history->schema, history->table, history->log};
    if (!postgres_query(postgres, sql_trace_relations, 3, values, &rows, error))
        return false;
    clear_items(ret);
    for (size_t row = 0; row < rows_count(rows); row++) {
        ret->items = memory_grow(ret->items, ret->count, sizeof *ret->items);
        struct trace_relation *relation = &ret->items[ret->count++];
        *relation = read_row(rows, row);
        relation->name = text_copy(rows_text(rows, row, "name"));
        relation->bytes_before = relation->bytes;
    }
    return true;
}

void trace_relations_settle(struct trace_relations *relations)
{
    size_t kept = 0;
    for (size_t i = 0; i < relations->count; i++) {
        struct trace_relation *relation = &relations->items[i];
        if (relation->gone) {
            free(relation->name);
            continue;
        }
        relation->born = 0;
        relation->bytes_before = relation->bytes;
        relations->items[kept++] = *relation;
    }
    relations->count = kept;
}

void trace_relations_begin(struct trace_relations *relations, const struct rows *counters)
{
    for (size_t i = 0; i < relations->count; i++) {
        relations->items[i].mode = LOCK_NONE;
        relations->items[i].scans = relations->items[i].written = 0;
    }
    for (size_t row = 0; counters != NULL && row < rows_count(counters); row++) {
        struct trace_relation *relation = trace_relations_find(relations, rows_integer(counters, row, "oid"));
        if (relation == NULL)
            continue;
        relation->scans = rows_integer(counters, row, "scans");
        relation->written = rows_integer(counters, row, "written");
    }
}

/* ---- differences ---- */

static bool is_index(const struct trace_relation *relation)
{
    return relation->kind == 'i' || relation->kind == 'I';
}

/* ALTER TABLE may make an index anew around the file it had. */
static bool has_file(const struct trace_relations *relations, int64_t file)
{
    for (size_t i = 0; i < relations->count; i++)
        if (relations->items[i].file == file)
            return true;
    return false;
}

/* An index counts as built where its table was there before the statement and has not itself a new file. */
static bool is_built(const struct trace_relations *relations, const struct trace_changes *changes,
                     const struct trace_relation *index)
{
    const struct trace_relation *table = trace_relations_find(relations, index->table);
    if (index->file == 0 || table == NULL || table->born == relations->looks)
        return false;
    for (size_t i = 0; i < changes->count; i++)
        if (relations->items[changes->items[i].at].oid == table->oid &&
            (changes->items[i].rewritten || changes->items[i].emptied))
            return false;
    return true;
}

static struct trace_relation *add(struct trace_relations *relations, struct trace_changes *changes,
                                  struct trace_relation added)
{
    size_t at = place_of(relations, added.oid);
    relations->items = memory_grow(relations->items, relations->count, sizeof *relations->items);
    struct trace_relation *place = &relations->items[at];
    memmove(place + 1, place, (relations->count++ - at) * sizeof *place);
    *place = added;
    for (size_t i = 0; i < changes->count; i++)
        if (changes->items[i].at >= at)
            changes->items[i].at++;
    return place;
}

static void keep_change(struct trace_relations *relations, struct trace_changes *changes,
                        const struct trace_relation *relation, struct trace_change change)
{
    change.at = (size_t)(relation - relations->items);
    changes->items = memory_grow(changes->items, changes->count, sizeof *changes->items);
    changes->items[changes->count++] = change;
}

static void see_new(struct trace_relations *relations, const struct rows *rows, size_t row,
                    struct trace_changes *changes)
{
    struct trace_relation added = read_row(rows, row);
    struct trace_change change = {.created = true, .written = added.written};
    added.name = text_copy(rows_text(rows, row, "name"));
    added.born = relations->looks;
    if (is_index(&added))
        change.rewritten = !has_file(relations, added.file) && is_built(relations, changes, &added);
    keep_change(relations, changes, add(relations, changes, added), change);
}

static void see_gone(struct trace_relations *relations, struct trace_relation *relation,
                     struct trace_change change, struct trace_changes *changes)
{
    change.dropped = true;
    relation->gone = true;
    relation->bytes = 0; /* its file may go on in the index that takes its place */
    keep_change(relations, changes, relation, change);
}

static void see_again(struct trace_relations *relations, struct trace_relation *relation,
                      const struct rows *rows, size_t row, struct trace_change change,
                      struct trace_changes *changes)
{
    struct trace_relation now = read_row(rows, row);
    bool moved = now.file != relation->file && now.file != 0 && relation->file != 0;
    if (is_index(&now))
        change.rewritten = moved && is_built(relations, changes, &now);
    else if (moved)
        change.rewritten = rows_integer(rows, row, "heap") > 0;
    change.emptied = moved && !is_index(&now) && !change.rewritten;
    change.scanned = !is_index(&now) && now.scans > relation->scans;
    change.written = now.written > relation->written ? now.written - relation->written : 0;
    relation->file = now.file;
    relation->bytes = now.bytes;
    relation->scans = now.scans;
    relation->written = now.written;
    keep_change(relations, changes, relation, change);
}

static void look_for_gone(struct trace_relations *relations, const struct rows *rows,
                          struct trace_changes *changes)
{
    size_t row = 0;
    for (size_t i = 0; i < relations->count; i++) {
        struct trace_relation *relation = &relations->items[i];
        while (row < rows_count(rows) && rows_integer(rows, row, "oid") < relation->oid)
            row++;
        bool there = row < rows_count(rows) && rows_integer(rows, row, "oid") == relation->oid;
        if (!there && !relation->gone)
            see_gone(relations, relation, (struct trace_change){0}, changes);
    }
}

static void look_at_row(struct trace_relations *relations, const struct rows *rows, size_t row,
                        enum lock_mode mode, struct trace_changes *ret)
{
    struct trace_relation *relation = trace_relations_find(relations, rows_integer(rows, row, "oid"));
    bool there = rows_text(rows, row, "kind") != NULL;
    struct trace_change change = {0};
    if (relation != NULL && mode > relation->mode)
        change.mode = relation->mode = mode;
    if (relation == NULL && there)
        see_new(relations, rows, row, ret);
    else if (relation != NULL && there)
        see_again(relations, relation, rows, row, change, ret);
    else if (relation != NULL && !relation->gone)
        see_gone(relations, relation, change, ret);
}

/* One that is gone is as good as a table: nothing is compared with it. */
static bool is_index_row(const struct rows *rows, size_t row)
{
    const char *kind = rows_text(rows, row, "kind");
    return kind != NULL && (*kind == 'i' || *kind == 'I');
}

void trace_relations_look(struct trace_relations *relations, const struct rows *rows, bool whole,
                          struct trace_changes *ret)
{
    *ret = (struct trace_changes){0};
    relations->looks++;
    if (whole)
        look_for_gone(relations, rows, ret);
    for (int indexes = 0; indexes <= 1; indexes++)
        for (size_t row = 0; row < rows_count(rows); row++) {
            enum lock_mode mode = whole ? LOCK_NONE : (enum lock_mode)rows_integer(rows, row, "mode");
            if (is_index_row(rows, row) == (indexes == 1))
                look_at_row(relations, rows, row, mode, ret);
        }
}
