/* SPDX-License-Identifier: PostgreSQL */
#include "backup/compare.h"

#include "backup/crew.h"
#include "backup/tables.h"
#include "common/copy.h"
#include "common/interrupt.h"
#include "sql.h"
#include <pthread.h>

#define RANGE_SIZE ((int64_t)64 << 20)
#define MOST_NAMED 20

/* ---- statistics ---- */

struct analyzing {
    const struct rows *relations;
    pthread_mutex_t mutex;   /* of notes */
    struct text_list *notes; /* what could not be */
};

/* Of a partitioned table, its partitions are looked at, too, foreign ones among them. Without statistics a
 * table is slow, and no less whole. */
static bool analyze_one(void *context, struct crew_worker *worker, size_t item, struct error *error)
{
    struct analyzing *analyzing = context;
    const struct rows *relations = analyzing->relations;
    const char *schema = rows_text(relations, item, "schema"), *name = rows_text(relations, item, "name");

    if (rows_text(relations, item, "root") != NULL)
        return true;
    OWNED char *sql =
        postgres_bind(sql_restore_analyze, (struct postgres_name[]){{"schema", schema}, {"name", name}, {0}});

    if (postgres_execute(worker->postgres, sql, error))
        return true;
    if (postgres_is_lost(worker->postgres) || interrupt_signal() != 0)
        return error_prefix(error, "could not analyze \"%s.%s\"", schema, name);
    pthread_mutex_lock(&analyzing->mutex);
    text_list_add(analyzing->notes,
                  text_format("Table \"%s.%s\" has no statistics: %s. ANALYZE collects them.", schema, name,
                              error->message));
    pthread_mutex_unlock(&analyzing->mutex);
    error_clear(error);
    return true;
}

bool compare_analyze(const struct compare *compare, struct postgres *postgres, struct text_list *ret_notes,
                     struct error *error)
{
    AUTO(rows_free) struct rows *relations = NULL;
    struct analyzing analyzing = {.mutex = PTHREAD_MUTEX_INITIALIZER, .notes = ret_notes};

    if (!postgres_query(postgres, sql_restore_relations, 0, NULL, &relations, error))
        return false;
    analyzing.relations = relations;
    return crew_run(&(struct crew_job){.server = compare->server,
                                       .database = compare->database,
                                       .workers = (size_t)compare->jobs,
                                       .items = rows_count(relations),
                                       .work = analyze_one,
                                       .context = &analyzing},
                    error);
}

/* ---- what is to be read ---- */

struct comparing {
    const struct compare *compare;
    struct tables tables; /* with the sizes that they have here */
    size_t *numbers;      /* of each, in the manifest */
    char **roots;         /* of the manifest's tables: what they are partitions of here, quoted, or NULL */
    struct ranges ranges;
    int64_t bytes;
    atomic_llong done;

    pthread_mutex_t mutex;     /* of what follows */
    struct fingerprint *found; /* of the manifest's tables */
};

struct size {
    const char *schema, *name, *root; /* of rows */
    int64_t bytes, pages;
};

static int compare_names(const void *a, const void *b)
{
    const struct size *left = a, *right = b;
    int order = strcmp(left->schema, right->schema);

    return order ? order : strcmp(left->name, right->name);
}

static int compare_bytes(const void *a, const void *b)
{
    const struct table *left = a, *right = b;

    return (left->bytes < right->bytes) - (left->bytes > right->bytes);
}

static struct size *read_sizes(const struct rows *rows)
{
    struct size *sizes = memory_allocate(rows_count(rows), sizeof *sizes);

    for (size_t i = 0; i < rows_count(rows); i++)
        sizes[i] = (struct size){rows_text(rows, i, "schema"), rows_text(rows, i, "name"),
                                 rows_text(rows, i, "root"), rows_integer(rows, i, "bytes"),
                                 rows_integer(rows, i, "pages")};
    if (rows_count(rows))
        qsort(sizes, rows_count(rows), sizeof *sizes, compare_names);
    return sizes;
}

static bool is_compared(const struct compare *compare, size_t number)
{
    const struct manifest_table *table = &compare->manifest->tables[number];

    return table->fingerprinted && table->source != TABLE_SKIPPED &&
           (!compare->tables || compare->tables[number]);
}

static bool missing(const struct manifest_table *table, struct error *error)
{
    return error_set(error, ERROR_PARTIAL, "table \"%s.%s\" is not in the restored database", table->schema,
                     table->name);
}

/* The number of a table in the manifest goes along in its place in the list. */
static bool list_tables(struct comparing *comparing, const struct rows *rows, struct error *error)
{
    const struct manifest *manifest = comparing->compare->manifest;
    OWNED struct size *sizes = read_sizes(rows);
    struct tables *tables = &comparing->tables;

    tables->items = memory_allocate(manifest->table_count, sizeof *tables->items);
    for (size_t i = 0; i < manifest->table_count; i++) {
        const struct manifest_table *table = &manifest->tables[i];
        struct size wanted = {.schema = table->schema, .name = table->name}, *size;

        if (!is_compared(comparing->compare, i))
            continue;
        size =
            rows_count(rows) ? bsearch(&wanted, sizes, rows_count(rows), sizeof wanted, compare_names) : NULL;
        if (!size)
            return missing(table, error);
        comparing->roots[i] = text_copy(size->root);
        tables->items[tables->count++] = (struct table){.oid = text_format("%zu", i),
                                                        .schema = text_copy(table->schema),
                                                        .name = text_copy(table->name),
                                                        .columns = text_copy(table->columns),
                                                        .bytes = size->bytes,
                                                        .pages = size->pages,
                                                        .source = TABLE_COPY};
        comparing->bytes += size->bytes;
    }
    if (tables->count)
        qsort(tables->items, tables->count, sizeof *tables->items, compare_bytes);
    comparing->numbers = memory_allocate(tables->count, sizeof *comparing->numbers);
    for (size_t i = 0; i < tables->count; i++)
        comparing->numbers[i] = (size_t)strtoul(tables->items[i].oid, NULL, 10);
    return true;
}

/* ---- reading ---- */

static bool read_range(const struct manifest_table *table, struct copy_out *copy, struct crew_worker *worker,
                       struct fingerprint *ret, struct error *error)
{
    AUTO(fingerprint_binary_free)
    struct fingerprint_binary *binary = table->binary ? fingerprint_binary_new() : NULL;
    struct copy_block block = {0};

    do {
        if (!copy_out_next(copy, worker->stop, &block, error))
            return false;
        if (!binary)
            fingerprint_add_rows(ret, block.data, block.lengths, block.rows);
        else if (block.rows && !fingerprint_binary_add(binary, block.data, block.size, error))
            return false;
    } while (block.rows);
    return !binary || fingerprint_binary_end(binary, ret, error);
}

/* Who owns a table may still not see all of it: by FORCE ROW LEVEL SECURITY, or without SELECT. */
static bool could_not_read(const struct postgres *postgres, const struct manifest_table *table,
                           struct error *error)
{
    if (text_equal(error->sqlstate, "42501"))
        error_detail(error,
                     "Everything is restored, but role \"%s\" cannot read all rows of that table: it wants "
                     "BYPASSRLS, or SELECT; --no-compare goes on without comparing.",
                     postgres_user(postgres));
    return error_prefix(error, "could not read \"%s.%s\" back", table->schema, table->name);
}

static bool compare_one(void *context, struct crew_worker *worker, size_t item, struct error *error)
{
    struct comparing *comparing = context;
    const struct range *range = &comparing->ranges.items[item];
    size_t number = comparing->numbers[range->table - comparing->tables.items];
    const struct manifest *manifest = comparing->compare->manifest;
    const struct manifest_table *table = &manifest->tables[number];
    OWNED char *sql = range_statement(range, table->binary, manifest->encoding);
    AUTO(copy_out_free) struct copy_out *copy = NULL;
    struct fingerprint found = {0};
    int64_t pages = range->last < 0 ? range->table->pages - range->first : range->last - range->first;

    if (!copy_out_begin(worker->postgres, sql, &copy, error) ||
        !read_range(table, copy, worker, &found, error))
        return could_not_read(worker->postgres, table, error);
    pthread_mutex_lock(&comparing->mutex);
    fingerprint_merge(&comparing->found[number], &found);
    pthread_mutex_unlock(&comparing->mutex);
    if (range->table->pages)
        atomic_fetch_add(&comparing->done, (long long)((double)range->table->bytes /
                                                       (double)range->table->pages * (double)pages));
    return true;
}

static void tick(void *context)
{
    struct comparing *comparing = context;

    if (comparing->compare->progress)
        comparing->compare->progress(comparing->compare->context, atomic_load(&comparing->done),
                                     comparing->bytes);
}

/* ---- the verdict ---- */

/* What its rows may be anywhere in, or NULL: as the manifest says, or where that is asked for, as it is here.
 */
static const char *root_of(const struct comparing *comparing, size_t number, bool by_roots)
{
    const char *root = comparing->compare->manifest->tables[number].root;

    return root == NULL && by_roots ? comparing->roots[number] : root;
}

/* The first table of a partitioned one whose rows may be in any partition takes the sums of all of them. */
static size_t representative(const struct comparing *comparing, size_t number, bool by_roots)
{
    const char *root = root_of(comparing, number, by_roots);

    for (size_t i = 0; root && i < number; i++)
        if (is_compared(comparing->compare, i) && text_equal(root_of(comparing, i, by_roots), root))
            return i;
    return number;
}

static void add_difference(const struct manifest_table *table, const char *root,
                           const struct fingerprint *found, const struct fingerprint *expected,
                           struct text_list *differences)
{
    OWNED char *name = root ? text_copy(root) : text_format("\"%s.%s\"", table->schema, table->name);

    if (found->rows != expected->rows)
        text_list_add(differences, text_format("%s has %lld rows, not %lld", name, (long long)found->rows,
                                               (long long)expected->rows));
    else
        text_list_add(differences, text_format("%s has other rows", name));
}

static void find_differences(const struct comparing *comparing, bool by_roots, struct text_list *differences)
{
    const struct manifest *manifest = comparing->compare->manifest;
    OWNED struct fingerprint *expected = memory_allocate(manifest->table_count, sizeof *expected);
    OWNED struct fingerprint *found = memory_allocate(manifest->table_count, sizeof *found);

    for (size_t i = 0; i < manifest->table_count; i++)
        if (is_compared(comparing->compare, i)) {
            size_t first = representative(comparing, i, by_roots);
            fingerprint_merge(&expected[first], &manifest->tables[i].fingerprint);
            fingerprint_merge(&found[first], &comparing->found[i]);
        }
    for (size_t i = 0; i < manifest->table_count && differences->count < MOST_NAMED; i++)
        if (is_compared(comparing->compare, i) && representative(comparing, i, by_roots) == i &&
            !fingerprint_equal(&found[i], &expected[i]))
            add_difference(&manifest->tables[i], root_of(comparing, i, by_roots), &found[i], &expected[i],
                           differences);
}

static void note_moves(const struct text_list *differences, struct text_list *notes)
{
    for (size_t i = 0; i < differences->count; i++)
        text_list_add(notes,
                      text_format("Partition %s: its bounds mean something else here, and rows went to "
                                  "another one.",
                                  differences->items[i]));
}

/* Where partitions differ and all of them together do not, rows were loaded through the root. */
static bool judge(const struct comparing *comparing, struct text_list *ret_notes, struct error *error)
{
    AUTO(text_list_clear) struct text_list differences = {0}, together = {0};
    OWNED char *all = NULL;

    find_differences(comparing, false, &differences);
    if (!differences.count)
        return true;
    find_differences(comparing, true, &together);
    if (!together.count) {
        note_moves(&differences, ret_notes);
        return true;
    }
    all = text_list_join(&together, "; ");
    error_set(error, ERROR_PARTIAL, "the restored database differs from the backup: table %s",
              together.items[0]);
    if (together.count > 1)
        error_detail(error, "Tables that differ: %s.", all);
    return false;
}

static bool run(struct comparing *comparing, struct postgres *postgres, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;

    if (!postgres_query(postgres, sql_restore_relations, 0, NULL, &rows, error) ||
        !list_tables(comparing, rows, error))
        return false;
    tables_cut(&comparing->tables, RANGE_SIZE, postgres_server_version(postgres) >= 140000,
               &comparing->ranges);
    return crew_run(&(struct crew_job){.server = comparing->compare->server,
                                       .database = comparing->compare->database,
                                       .workers = (size_t)comparing->compare->jobs,
                                       .items = comparing->ranges.count,
                                       .work = compare_one,
                                       .tick = tick,
                                       .context = comparing},
                    error);
}

static int64_t count_rows(const struct comparing *comparing)
{
    int64_t rows = 0;

    for (size_t i = 0; i < comparing->compare->manifest->table_count; i++)
        rows += comparing->found[i].rows;
    return rows;
}

bool compare_tables(const struct compare *compare, struct postgres *postgres, int64_t *ret_tables,
                    int64_t *ret_rows, struct text_list *ret_notes, struct error *error)
{
    struct comparing comparing = {.compare = compare};
    bool ok;

    comparing.found = memory_allocate(compare->manifest->table_count, sizeof *comparing.found);
    comparing.roots = memory_allocate(compare->manifest->table_count, sizeof *comparing.roots);
    pthread_mutex_init(&comparing.mutex, NULL);
    ok = run(&comparing, postgres, error) && judge(&comparing, ret_notes, error);
    *ret_rows = count_rows(&comparing);
    *ret_tables = (int64_t)comparing.tables.count;
    pthread_mutex_destroy(&comparing.mutex);
    tables_clear(&comparing.tables);
    free(comparing.ranges.items);
    free(comparing.numbers);
    for (size_t i = 0; i < compare->manifest->table_count; i++)
        free(comparing.roots[i]);
    free(comparing.roots);
    free(comparing.found);
    return ok;
}
