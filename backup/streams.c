/* SPDX-License-Identifier: PostgreSQL */
#include "backup/streams.h"

#include "common/copy.h"
#include "common/test_point.h"
#include "sql.h"
#include <pthread.h>
#include <string.h>

enum chunk_state { CHUNK_WAITING, CHUNK_TAKEN, CHUNK_DONE };

struct chunk {
    struct range range;
    size_t table;  /* index in the snapshot's tables */
    size_t number; /* of its table's, from 1 */
    enum chunk_state state;
    struct member_list members;
    struct fingerprint fingerprint;
};

struct table_work {
    size_t folder;                  /* number, from 1; 0: none */
    bool binary;                    /* text cannot carry it */
    bool read;                      /* fingerprint is known: the leader has read it */
    struct fingerprint fingerprint; /* of a table that pg_dump copies */
};

struct streams {
    struct streams_options options;
    const char *encoding;  /* for COPY, or NULL for UTF8 */
    pthread_mutex_t mutex; /* of all below, but for current */
    struct table_work *tables;
    struct chunk *chunks;
    size_t chunk_count;
    size_t *queue; /* indices of chunks; what is copied anew is added at the end */
    size_t queued, taken;
    size_t folders;               /* numbers given out */
    struct member_list abandoned; /* written, and then not wanted any more */
    _Atomic(const char *) *current;
};

/* ---- making and freeing ---- */

static void add_to_queue(struct streams *streams, size_t chunk)
{
    streams->chunks[chunk].state = CHUNK_WAITING;
    streams->queue = memory_grow(streams->queue, streams->queued, sizeof *streams->queue);
    streams->queue[streams->queued++] = chunk;
}

struct streams *streams_new(const struct streams_options *options)
{
    const struct tables *tables = &options->snapshot->tables;
    struct streams *streams = memory_allocate(1, sizeof *streams);
    struct ranges ranges = {0};
    bool can_cut = postgres_server_version(options->snapshot->connections[0]) >= 140000;
    streams->options = *options;
    streams->encoding = text_equal(options->encoding, "UTF8") ? NULL : options->encoding;
    pthread_mutex_init(&streams->mutex, NULL);
    streams->tables = memory_allocate(tables->count + 1, sizeof *streams->tables);
    streams->current = memory_allocate(options->snapshot->count, sizeof *streams->current);
    tables_cut(tables, options->split_larger_than, can_cut, &ranges);
    streams->chunks = memory_allocate(ranges.count + 1, sizeof *streams->chunks);
    for (size_t i = 0; i < ranges.count; i++) {
        struct chunk *chunk = &streams->chunks[streams->chunk_count++];
        size_t table = (size_t)(ranges.items[i].table - tables->items);
        *chunk = (struct chunk){.range = ranges.items[i], .table = table, .number = 1};
        if (i > 0 && chunk[-1].table == table)
            chunk->number = chunk[-1].number + 1;
        else
            streams->tables[table].folder = ++streams->folders;
        add_to_queue(streams, i);
    }
    free(ranges.items);
    return streams;
}

void streams_free(struct streams *streams)
{
    if (streams == NULL)
        return;
    for (size_t i = 0; i < streams->chunk_count; i++)
        member_list_clear(&streams->chunks[i].members);
    member_list_clear(&streams->abandoned);
    pthread_mutex_destroy(&streams->mutex);
    free(streams->chunks);
    free(streams->tables);
    free(streams->queue);
    free(streams->current);
    free(streams);
}

/* ---- one COPY ---- */

struct copying {
    struct streams *streams;
    struct postgres *postgres;
    const struct range *range;
    bool binary;
    struct frames *frames; /* NULL: only count and fingerprint */
    struct fingerprint fingerprint;
};

static bool take_block(struct copying *copying, const struct copy_block *block,
                       struct fingerprint_binary *binary, struct error *error)
{
    if (binary != NULL && !fingerprint_binary_add(binary, block->data, block->size, error))
        return false;
    if (binary == NULL)
        fingerprint_add_rows(&copying->fingerprint, block->data, block->lengths, block->rows);
    if (copying->frames == NULL)
        return true;
    test_point("backup-streaming");
    atomic_fetch_add(copying->streams->options.bytes, (int64_t)block->size);
    return frames_add(copying->frames, block->data, block->size, (int64_t)block->rows, error);
}

static bool copy_rows(struct copying *copying, struct error *error)
{
    const struct table *table = copying->range->table;
    OWNED char *sql = range_statement(copying->range, copying->binary, copying->streams->encoding);
    AUTO(copy_out_free) struct copy_out *copy = NULL;
    AUTO(fingerprint_binary_free) struct fingerprint_binary *binary = NULL;
    struct copy_block block;
    if (copying->binary)
        binary = fingerprint_binary_new();
    if (!copy_out_begin(copying->postgres, sql, &copy, error))
        return error_prefix(error, "could not copy table \"%s.%s\"", table->schema, table->name);
    for (;;) {
        if (!copy_out_next(copy, copying->streams->options.stop, &block, error))
            return error_prefix(error, "could not copy table \"%s.%s\"", table->schema, table->name);
        if (block.rows == 0)
            break;
        if (!take_block(copying, &block, binary, error))
            return false;
    }
    if (binary != NULL && !fingerprint_binary_end(binary, &copying->fingerprint, error))
        return false;
    if (copy_out_rows(copy) != copying->fingerprint.rows)
        return error_set(
            error, ERROR_FAILED, "the server says it sent %lld rows of table \"%s.%s\", but %lld came",
            (long long)copy_out_rows(copy), table->schema, table->name, (long long)copying->fingerprint.rows);
    return true;
}

/* ---- chunks ---- */

static char *folder_of(const struct streams *streams, size_t table)
{
    size_t folder = streams->tables[table].folder;
    return folder == 0 ? NULL : text_format("tables/%06zu", folder);
}

static bool take_chunk(struct streams *streams, size_t *ret_chunk, bool *ret_binary)
{
    pthread_mutex_lock(&streams->mutex);
    bool found = streams->taken < streams->queued;
    if (found) {
        *ret_chunk = streams->queue[streams->taken++];
        struct chunk *chunk = &streams->chunks[*ret_chunk];
        chunk->state = CHUNK_TAKEN;
        *ret_binary = streams->tables[chunk->table].binary;
    }
    pthread_mutex_unlock(&streams->mutex);
    return found;
}

/* A tar has no way back: what nobody wants any more stays, and the manifest has to name it. With the mutex.
 */
static void abandon(struct streams *streams, struct member_list *members)
{
    for (size_t i = 0; i < members->count; i++) {
        struct manifest_member *member = &members->items[i];
        member_list_add(&streams->abandoned, take(member->name), &member->place, member->raw_size, 0);
    }
    member_list_clear(members);
}

/* A chunk copied as text while somebody found that its table needs binary is not wanted any more. */
static void keep_chunk(struct streams *streams, struct chunk *chunk, bool binary, struct frames *frames,
                       const struct fingerprint *fingerprint)
{
    pthread_mutex_lock(&streams->mutex);
    if (streams->tables[chunk->table].binary == binary) {
        chunk->state = CHUNK_DONE;
        chunk->fingerprint = *fingerprint;
        if (fingerprint->rows > 0) {
            chunk->members = frames->members;
            frames->members = (struct member_list){0};
        }
    }
    abandon(streams, &frames->members);
    pthread_mutex_unlock(&streams->mutex);
}

/* The server's words for it: a string buffer has an end at 1 GB, and so has one piece of memory. */
static bool is_too_large(const struct error *error)
{
    return strcmp(error->sqlstate, "54000") == 0 ||
           (strcmp(error->sqlstate, "XX000") == 0 && error->message != NULL &&
            strstr(error->message, "invalid memory alloc request size") != NULL);
}

static void switch_to_binary(struct streams *streams, size_t table, struct frames *failed)
{
    pthread_mutex_lock(&streams->mutex);
    abandon(streams, &failed->members);
    struct table_work *work = &streams->tables[table];
    for (size_t i = 0; i < streams->chunk_count && !work->binary; i++) {
        struct chunk *chunk = &streams->chunks[i];
        if (chunk->table != table || chunk->state == CHUNK_WAITING)
            continue;
        abandon(streams, &chunk->members);
        add_to_queue(streams, i);
    }
    if (!work->binary)
        work->folder = ++streams->folders;
    work->binary = true;
    pthread_mutex_unlock(&streams->mutex);
}

static bool drop_frame(struct compressor *compressor, struct error *error)
{
    const void *data;
    size_t size;
    return compressor_raw(compressor) == 0 || compressor_end(compressor, &data, &size, error);
}

static bool copy_chunk(struct streams *streams, size_t number, size_t index, bool binary,
                       struct compressor *compressor, struct error *error)
{
    struct chunk *chunk = &streams->chunks[index];
    struct postgres *postgres = streams->options.snapshot->connections[number];
    pthread_mutex_lock(&streams->mutex);
    OWNED char *folder = folder_of(streams, chunk->table);
    pthread_mutex_unlock(&streams->mutex);
    OWNED char *prefix = text_format("%s/%04zu.", folder, chunk->number);
    AUTO(frames_clear)
    struct frames frames = {.writer = streams->options.writer, .compressor = compressor, .prefix = prefix};
    struct copying copying = {.streams = streams,
                              .postgres = postgres,
                              .range = &chunk->range,
                              .binary = binary,
                              .frames = &frames};
    if (copy_rows(&copying, error) && frames_end(&frames, error)) {
        if (binary && frames.members.count > 0)
            frames.members.items[frames.members.count - 1].rows--; /* the trailer came as one more */
        keep_chunk(streams, chunk, binary, &frames, &copying.fingerprint);
        return true;
    }
    if (binary || !is_too_large(error))
        return false;
    error_clear(error);
    switch_to_binary(streams, chunk->table, &frames);
    return drop_frame(compressor, error) && postgres_execute(postgres, sql_savepoint_back, error);
}

/* ---- the rest of the tables ---- */

static bool read_dumped(struct streams *streams, struct error *error)
{
    const struct snapshot *snapshot = streams->options.snapshot;
    for (size_t i = 0; i < snapshot->tables.count; i++) {
        const struct table *table = &snapshot->tables.items[i];
        struct range range = {.table = table, .whole = true, .last = -1};
        struct copying copying = {.streams = streams, .postgres = snapshot->connections[0], .range = &range};
        if (table->partitioned || table->source != TABLE_DUMP)
            continue;
        atomic_store(&streams->current[0], table->qualified);
        if (!copy_rows(&copying, error))
            return false;
        streams->tables[i].fingerprint = copying.fingerprint;
        streams->tables[i].read = true;
    }
    return true;
}

bool streams_run(struct streams *streams, size_t number, struct error *error)
{
    AUTO(compressor_free) struct compressor *compressor = compressor_new(streams->options.level);
    size_t index;
    bool binary, good = number > 0 || read_dumped(streams, error);
    while (good && !atomic_load(streams->options.stop) && take_chunk(streams, &index, &binary)) {
        atomic_store(&streams->current[number], streams->chunks[index].range.table->qualified);
        good = copy_chunk(streams, number, index, binary, compressor, error);
        if (!good)
            break;
    }
    atomic_store(&streams->current[number], NULL);
    return good;
}

const char *streams_current(const struct streams *streams, size_t number)
{
    return atomic_load(&streams->current[number]);
}

void streams_folders(const struct streams *streams, struct text_list *ret)
{
    const struct tables *tables = &streams->options.snapshot->tables;
    for (size_t i = 0; i < tables->count; i++)
        if (!tables->items[i].partitioned)
            text_list_add(ret, folder_of(streams, i));
}

/* ---- the manifest ---- */

static void add_chunk(struct manifest *manifest, struct manifest_table *table, struct chunk *chunk)
{
    fingerprint_merge(&table->fingerprint, &chunk->fingerprint);
    if (chunk->fingerprint.rows == 0)
        return;
    table->chunks = memory_grow(table->chunks, table->chunk_count, sizeof *table->chunks);
    table->chunks[table->chunk_count++] = (struct manifest_chunk){.first_member = manifest->member_count,
                                                                  .members = chunk->members.count,
                                                                  .rows = chunk->fingerprint.rows};
    member_list_move(&chunk->members, manifest);
}

bool streams_check(const struct streams *streams, struct error *error)
{
    for (size_t i = 0; i < streams->chunk_count; i++)
        if (streams->chunks[i].state != CHUNK_DONE)
            return error_set(error, ERROR_FAILED, "a part of table %s was not copied",
                             streams->chunks[i].range.table->qualified);
    return true;
}

void streams_fill(struct streams *streams, struct manifest *manifest)
{
    const struct tables *tables = &streams->options.snapshot->tables;
    size_t next = 0;
    for (size_t i = 0; i < tables->count; i++) {
        const struct table *table = &tables->items[i];
        const struct table_work *work = &streams->tables[i];
        if (table->partitioned)
            continue;
        manifest->tables = memory_grow(manifest->tables, manifest->table_count, sizeof *manifest->tables);
        struct manifest_table *entry = &manifest->tables[manifest->table_count++];
        *entry = (struct manifest_table){
            .schema = text_copy(table->schema),
            .name = text_copy(table->name),
            .columns = text_copy(table->columns),
            .root = text_copy(table->root),
            .source = table->source,
            .reason = text_copy(table->reason),
            .binary = work->binary,
            .ordered = table->ordered,
            .fingerprinted = table->source == TABLE_COPY || (work->read && !table->config),
            .fingerprint = work->fingerprint,
        };
        for (; next < streams->chunk_count && streams->chunks[next].table == i; next++)
            add_chunk(manifest, entry, &streams->chunks[next]);
    }
    member_list_move(&streams->abandoned, manifest);
}
