/* SPDX-License-Identifier: PostgreSQL */
#include "backup/load.h"

#include "backup/crew.h"
#include "backup/feed.h"
#include "backup/member.h"
#include "common/copy.h"
#include "common/interrupt.h"
#include "common/test_point.h"
#include "sql.h"
#include <pthread.h>

#define ATTEMPTS         3     /* of one item, where the connection is lost */
#define RECONNECT_MS     15000 /* a server that restarts */
#define OLD_BACKEND_MS   30000
#define BETWEEN_TRIES_MS 200

#define FEED SIZE_MAX /* instead of a table: pg_restore's part */

/* What is loaded in one transaction: one COPY, or all of a table. A part of text is a COPY of its own, so
 * that several streams have enough to share, and mix the rows of a table no further than they must. */
struct item {
    size_t table;
    size_t first, members; /* of the manifest's; members 0: all chunks of the table */
    int64_t rows;
    int64_t bytes; /* what it is ordered by */
};

/* What has come of one table. */
struct total {
    struct fingerprint fingerprint;
    size_t members; /* loaded */
};

struct loading {
    const struct load *load;
    struct crew_job job;
    struct item *items;
    size_t count;
    bool last_try; /* what is refused now is an error */
    atomic_llong done;
    int64_t bytes;

    pthread_mutex_t mutex; /* of all below */
    struct total *totals;  /* of the manifest's tables */
    struct item *refused;
    size_t refused_count;
    bool left_out; /* rows for a second run */
};

/* ---- the list ---- */

static bool is_wanted(const struct load *load, size_t table)
{
    return load->manifest->tables[table].source == TABLE_COPY && (!load->tables || load->tables[table]);
}

static int64_t member_bytes(const struct manifest *manifest, size_t first, size_t count)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += manifest->members[first + i].raw_size;
    return bytes;
}

static int64_t table_bytes(const struct manifest *manifest, const struct manifest_table *table)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < table->chunk_count; i++)
        bytes += member_bytes(manifest, table->chunks[i].first_member, table->chunks[i].members);
    return bytes;
}

static size_t table_members(const struct manifest_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->chunk_count; i++)
        count += table->chunks[i].members;
    return count;
}

int64_t load_bytes(const struct load *load)
{
    int64_t bytes = feed_needed(load) ? feed_bytes(load->manifest) : 0;

    for (size_t i = 0; i < load->manifest->table_count; i++)
        if (is_wanted(load, i))
            bytes += table_bytes(load->manifest, &load->manifest->tables[i]);
    return bytes;
}

/* What is there already counts; the rest is to be done. */
static void add_item(struct loading *loading, struct item item)
{
    const struct load *load = loading->load;
    const struct ledger_chunk *there =
        load->ledger && item.table != FEED ? ledger_chunk(load->ledger, item.table, item.first) : NULL;

    if (there) {
        const struct manifest_table *table = &load->manifest->tables[item.table];
        struct total *total = &loading->totals[item.table];

        fingerprint_merge(&total->fingerprint, &there->fingerprint);
        total->members += item.members ? item.members : table_members(table);
        atomic_fetch_add(&loading->done, item.members ? member_bytes(load->manifest, item.first, item.members)
                                                      : table_bytes(load->manifest, table));
        return;
    }
    loading->items = memory_grow(loading->items, loading->count, sizeof *loading->items);
    loading->items[loading->count++] = item;
}

static void add_parts(struct loading *loading, size_t number, const struct manifest_chunk *chunk,
                      int64_t bytes)
{
    const struct manifest *manifest = loading->load->manifest;

    for (size_t i = 0; i < chunk->members; i++)
        add_item(loading, (struct item){.table = number,
                                        .first = chunk->first_member + i,
                                        .members = 1,
                                        .rows = manifest->members[chunk->first_member + i].rows,
                                        .bytes = bytes});
}

/* Parts of one table have one size here, so that they stay together and in order. */
static void add_table(struct loading *loading, size_t number)
{
    const struct manifest_table *table = &loading->load->manifest->tables[number];
    int64_t bytes = table_bytes(loading->load->manifest, table);
    size_t members = table_members(table);

    if (members && (table->ordered || members == 1))
        add_item(loading,
                 (struct item){.table = number, .first = table->chunks[0].first_member, .bytes = bytes});
    else
        for (size_t i = 0; i < table->chunk_count; i++)
            if (table->binary)
                add_item(loading, (struct item){.table = number,
                                                .first = table->chunks[i].first_member,
                                                .members = table->chunks[i].members,
                                                .rows = table->chunks[i].rows,
                                                .bytes = bytes / (int64_t)table->chunk_count});
            else
                add_parts(loading, number, &table->chunks[i], bytes / (int64_t)members);
}

/* What cannot be shared comes first when it is large. */
static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    if (left->bytes != right->bytes)
        return left->bytes > right->bytes ? -1 : 1;
    if (left->table != right->table)
        return left->table < right->table ? -1 : 1;
    return (left->first > right->first) - (left->first < right->first);
}

static void list_items(struct loading *loading)
{
    const struct load *load = loading->load;

    loading->totals = memory_allocate(load->manifest->table_count, sizeof *loading->totals);
    for (size_t i = 0; i < load->manifest->table_count; i++)
        if (is_wanted(load, i))
            add_table(loading, i);
    if (feed_needed(load))
        add_item(loading, (struct item){.table = FEED, .bytes = feed_bytes(load->manifest)});
    if (loading->count)
        qsort(loading->items, loading->count, sizeof *loading->items, compare_items);
}

/* ---- one COPY ---- */

struct copying {
    struct copy_in *copy;
    const atomic_bool *stop;
    atomic_llong *done;
    struct fingerprint fingerprint;
    struct fingerprint_binary *binary;
    char *rest; /* the beginning of a row that ends in the next piece */
    size_t rest_size, rest_room;
};

static void copying_clear(struct copying *copying)
{
    copy_in_free(copying->copy);
    fingerprint_binary_free(copying->binary);
    free(copying->rest);
}
CLEANUP_VALUE(struct copying, copying_clear)

static void keep_rest(struct copying *copying, const char *data, size_t size)
{
    if (copying->rest_size + size > copying->rest_room) {
        char *rest;

        copying->rest_room = 2 * (copying->rest_size + size);
        rest = memory_allocate(copying->rest_room, 1);
        if (copying->rest_size)
            memcpy(rest, copying->rest, copying->rest_size);
        free(copying->rest);
        copying->rest = rest;
    }
    if (size)
        memcpy(copying->rest + copying->rest_size, data, size);
    copying->rest_size += size;
}

static void count_text(struct copying *copying, const char *data, size_t size)
{
    const char *last = memrchr(data, '\n', size);
    size_t whole = last ? (size_t)(last - data) + 1 : 0;

    if (whole && copying->rest_size) {
        size_t first = (size_t)((const char *)memchr(data, '\n', size) - data) + 1;

        keep_rest(copying, data, first);
        fingerprint_add_text(&copying->fingerprint, copying->rest, copying->rest_size);
        copying->rest_size = 0;
        data += first;
        size -= first;
        whole -= first;
    }
    if (whole)
        fingerprint_add_text(&copying->fingerprint, data, whole);
    keep_rest(copying, data + whole, size - whole);
}

static bool copy_piece(void *context, const char *data, size_t size, struct error *error)
{
    struct copying *copying = context;

    if (!copying->binary)
        count_text(copying, data, size);
    else if (!fingerprint_binary_add(copying->binary, data, size, error))
        return false;
    atomic_fetch_add(copying->done, (long long)size);
    return copy_in_add(copying->copy, data, size, copying->stop, error);
}

/* Where the rows of a table go: into itself, or through the partitioned table above it. */
struct entrance {
    const char *schema, *name;
    bool is_root;
};

static char *copy_statement(const struct load *load, const struct manifest_table *table,
                            const struct entrance *entrance, bool freeze)
{
    OWNED char *columns = *table->columns ? text_format("(%s)", table->columns) : text_copy("");

    return postgres_bind(sql_restore_copy,
                         (struct postgres_name[]){{"schema", entrance->schema},
                                                  {"name", entrance->name},
                                                  {"columns", columns},
                                                  {"format", table->binary ? "binary" : "text"},
                                                  {"freeze", freeze ? "on" : "off"},
                                                  {"encoding", load->manifest->encoding},
                                                  {0}});
}

static bool compare_rows(const struct manifest_table *table, int64_t expected, const struct copying *copying,
                         int64_t rows, struct error *error)
{
    if (copying->rest_size)
        return error_set(error, ERROR_BACKUP, "the last row of a part of table \"%s.%s\" has no end",
                         table->schema, table->name);
    if (rows == expected && copying->fingerprint.rows == expected)
        return true;
    return error_set(error, ERROR_BACKUP,
                     "table \"%s.%s\": the server took %lld rows of a part that has %lld", table->schema,
                     table->name, (long long)rows, (long long)expected);
}

static bool copy_members(const struct load *load, size_t first, size_t count, struct copying *copying,
                         struct error *error)
{
    AUTO(decompressor_free) struct decompressor *decompressor = decompressor_new();

    for (size_t i = 0; i < count; i++)
        if (!member_decode(load->archive, &load->manifest->members[first + i], decompressor, copy_piece,
                           copying, error))
            return false;
    return true;
}

/* One COPY of item->members. */
static bool copy(struct loading *loading, struct crew_worker *worker, const struct item *item,
                 const struct entrance *entrance, bool freeze, struct fingerprint *total, struct error *error)
{
    const struct load *load = loading->load;
    const struct manifest_table *table = &load->manifest->tables[item->table];
    OWNED char *sql = copy_statement(load, table, entrance, freeze);
    AUTO(copying_clear)
    struct copying copying = {.stop = worker->stop,
                              .done = &loading->done,
                              .binary = table->binary ? fingerprint_binary_new() : NULL};
    int64_t rows = 0;

    if (!copy_in_begin(worker->postgres, sql, &copying.copy, error) ||
        !copy_members(load, item->first, item->members, &copying, error) ||
        !copy_in_end(copying.copy, &rows, error) ||
        (copying.binary && !fingerprint_binary_end(copying.binary, &copying.fingerprint, error)) ||
        !compare_rows(table, item->rows, &copying, rows, error))
        return false;
    fingerprint_merge(total, &copying.fingerprint);
    return true;
}

/* ---- one transaction ---- */

static bool truncate_table(struct crew_worker *worker, const struct manifest_table *table,
                           struct error *error)
{
    OWNED char *sql =
        postgres_bind(sql_restore_truncate,
                      (struct postgres_name[]){{"schema", table->schema}, {"name", table->name}, {0}});

    return postgres_execute(worker->postgres, sql, error);
}

/* Through the root other partitions' rows may have come in already. */
static bool copy_table(struct loading *loading, struct crew_worker *worker, const struct item *item,
                       const struct entrance *entrance, struct fingerprint *total, struct error *error)
{
    const struct manifest_table *table = &loading->load->manifest->tables[item->table];

    if (!entrance->is_root && !truncate_table(worker, table, error))
        return false;
    for (size_t i = 0; i < table->chunk_count; i++) {
        struct item chunk = {.table = item->table,
                             .first = table->chunks[i].first_member,
                             .members = table->chunks[i].members,
                             .rows = table->chunks[i].rows};

        if (!copy(loading, worker, &chunk, entrance, !entrance->is_root, total, error))
            return false;
    }
    return true;
}

/* The bounds of partitions may depend on what is another here, such as a collation. */
static bool find_root(struct crew_worker *worker, const struct manifest_table *table, struct rows **ret,
                      struct entrance *entrance, struct error *error)
{
    const char *const names[] = {table->schema, table->name};

    if (!postgres_query(worker->postgres, sql_restore_root, 2, names, ret, error))
        return false;
    if (rows_count(*ret) > 0)
        *entrance = (struct entrance){rows_text(*ret, 0, "schema"), rows_text(*ret, 0, "name"), true};
    return true;
}

static bool copy_item(struct loading *loading, struct crew_worker *worker, const struct item *item,
                      struct fingerprint *ret, struct error *error)
{
    const struct manifest_table *table = &loading->load->manifest->tables[item->table];
    struct ledger_chunk done = {.table = item->table, .chunk = item->first};
    struct entrance entrance = {table->schema, table->name, false};
    AUTO(rows_free) struct rows *root = NULL;

    if ((loading->last_try && !find_root(worker, table, &root, &entrance, error)) ||
        !postgres_execute(worker->postgres, sql_begin, error) ||
        !(item->members ? copy(loading, worker, item, &entrance, false, &done.fingerprint, error)
                        : copy_table(loading, worker, item, &entrance, &done.fingerprint, error)) ||
        !ledger_add(worker->postgres, &done, error))
        return false;
    *ret = done.fingerprint;
    test_point("restore-commit");
    return postgres_execute(worker->postgres, sql_commit, error);
}

/* A server process that outlives its connection may still commit. */
static bool wait_for_end(struct crew_worker *worker, int pid, struct error *error)
{
    OWNED char *text = text_format("%d", pid);
    const char *value = text;
    int64_t deadline = clock_ms() + OLD_BACKEND_MS;

    do {
        AUTO(rows_free) struct rows *rows = NULL;

        if (!postgres_query(worker->postgres, sql_restore_backend, 1, &value, &rows, error))
            return false;
        if (!rows_bool(rows, 0, "present"))
            return true;
    } while (clock_ms() < deadline && interrupt_sleep(BETWEEN_TRIES_MS));
    return interrupt_signal()
               ? interrupt_error(error)
               : error_set(error, ERROR_UNKNOWN,
                           "server process %d does not end after its connection was lost", pid);
}

static bool reconnect(struct loading *loading, struct crew_worker *worker, struct error *error)
{
    int64_t deadline = clock_ms() + RECONNECT_MS;
    int pid = postgres_backend_pid(worker->postgres);

    postgres_free(take(worker->postgres));
    while (!crew_connect(&loading->job, &worker->postgres, error))
        if (clock_ms() >= deadline || atomic_load(worker->stop) || !interrupt_sleep(BETWEEN_TRIES_MS))
            return false;
    return wait_for_end(worker, pid, error);
}

/* Whether the transaction whose COMMIT was not answered is there, and what it loaded. */
static bool look_up(struct loading *loading, struct crew_worker *worker, const struct item *item,
                    bool *ret_there, struct error *error)
{
    return reconnect(loading, worker, error) &&
           ledger_has(worker->postgres, item->table, item->first, ret_there, error);
}

static void add_total(struct loading *loading, const struct item *item, const struct fingerprint *fingerprint)
{
    const struct manifest_table *table = &loading->load->manifest->tables[item->table];

    pthread_mutex_lock(&loading->mutex);
    fingerprint_merge(&loading->totals[item->table].fingerprint, fingerprint);
    loading->totals[item->table].members += item->members ? item->members : table_members(table);
    pthread_mutex_unlock(&loading->mutex);
}

/* A relation, a function or another object that is not there. */
static bool misses_object(const struct error *error)
{
    return text_equal(error->sqlstate, "42P01") || text_equal(error->sqlstate, "42883") ||
           text_equal(error->sqlstate, "42704");
}

/* A CHECK may ask other tables, which may not be there yet: once more when they are. A row that its partition
 * refuses goes through the root then. One that names an index waits for it. */
static bool refused(struct loading *loading, struct crew_worker *worker, const struct item *item,
                    struct error *error)
{
    AUTO(error_clear) struct error ignored = {0};
    bool later = !loading->load->second && item->table != FEED && misses_object(error);
    bool again = !loading->last_try && (item->table == FEED || text_equal(error->sqlstate, "23514"));

    if (!(later || again) || interrupt_signal() || atomic_load(worker->stop))
        return false;
    if (postgres_transaction(worker->postgres) != POSTGRES_IDLE &&
        !postgres_execute(worker->postgres, sql_rollback, &ignored))
        return false;
    pthread_mutex_lock(&loading->mutex);
    if (later) {
        loading->left_out = true;
    } else {
        loading->refused = memory_grow(loading->refused, loading->refused_count, sizeof *loading->refused);
        loading->refused[loading->refused_count++] = *item;
    }
    pthread_mutex_unlock(&loading->mutex);
    error_clear(error);
    return true;
}

static bool load_item(struct loading *loading, struct crew_worker *worker, const struct item *item,
                      struct error *error)
{
    const struct manifest_table *table = &loading->load->manifest->tables[item->table];

    for (int attempt = 1;; attempt++) {
        AUTO(error_clear) struct error lost = {0};
        struct fingerprint fingerprint = {0};
        long long done = atomic_load(&loading->done);
        bool there = copy_item(loading, worker, item, &fingerprint, &lost);

        if (!there && postgres_is_lost(worker->postgres) && attempt < ATTEMPTS && !interrupt_signal() &&
            !atomic_load(worker->stop)) {
            if (!look_up(loading, worker, item, &there, error))
                return false;
        } else if (!there) {
            error_move(error, &lost);
            return refused(loading, worker, item, error) ||
                   error_prefix(error, "table \"%s.%s\"", table->schema, table->name);
        }
        if (there) {
            add_total(loading, item, &fingerprint);
            return true;
        }
        atomic_store(&loading->done, done); /* about right: others have gone on meanwhile */
    }
}

static bool work(void *context, struct crew_worker *worker, size_t number, struct error *error)
{
    struct loading *loading = context;
    const struct item *item = &loading->items[number];

    if (item->table != FEED)
        return load_item(loading, worker, item, error);
    return feed_run(loading->load, worker->postgres, loading->load->ledger || loading->last_try, worker->stop,
                    &loading->done, error) ||
           refused(loading, worker, item, error);
}

/* ---- all of them ---- */

static void tick(void *context)
{
    struct loading *loading = context;

    if (loading->load->progress)
        loading->load->progress(loading->load->context, atomic_load(&loading->done), loading->bytes);
}

/* What went by must be what the manifest tells of. */
static bool compare_totals(const struct loading *loading, struct error *error)
{
    for (size_t i = 0; i < loading->load->manifest->table_count; i++) {
        const struct manifest_table *table = &loading->load->manifest->tables[i];
        const struct total *total = &loading->totals[i];

        if (!is_wanted(loading->load, i) || !table->fingerprinted ||
            (total->members == table_members(table) &&
             fingerprint_equal(&total->fingerprint, &table->fingerprint)))
            continue;
        return error_set(error, ERROR_BACKUP,
                         "the rows of table \"%s.%s\" in the archive are not those the manifest tells of",
                         table->schema, table->name);
    }
    return true;
}

static bool run_items(struct loading *loading, struct error *error)
{
    loading->job.items = loading->count;
    if (!crew_run(&loading->job, error))
        return false;
    if (!loading->refused_count)
        return true;
    free(loading->items);
    loading->items = take(loading->refused);
    loading->count = loading->job.items = loading->refused_count;
    loading->refused_count = 0;
    loading->last_try = true;
    loading->job.workers = 1;
    return crew_run(&loading->job, error);
}

bool load_is_needed(const struct load *load)
{
    struct loading loading = {.load = load};

    list_items(&loading);
    free(loading.items);
    free(loading.totals);
    return loading.count > 0;
}

bool load_run(const struct load *load, struct error *error)
{
    struct loading loading = {.load = load, .bytes = load_bytes(load)};
    bool ok;

    loading.job = (struct crew_job){.server = load->server,
                                    .database = load->database,
                                    .workers = (size_t)load->jobs,
                                    .work = work,
                                    .tick = tick,
                                    .context = &loading};
    pthread_mutex_init(&loading.mutex, NULL);
    list_items(&loading);
    ok = run_items(&loading, error) && (loading.left_out || compare_totals(&loading, error));
    pthread_mutex_destroy(&loading.mutex);
    free(loading.items);
    free(loading.refused);
    free(loading.totals);
    return ok;
}
