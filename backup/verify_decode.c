/* SPDX-License-Identifier: PostgreSQL */
#include "backup/verify_decode.h"

#include "backup/member.h"
#include "backup/tasks.h"
#include <pthread.h>
#include <stdatomic.h>

/* One chunk of a table, or one frame that belongs to none. */
struct item {
    size_t table, chunk; /* table == table_count: members[chunk] alone */
};

struct decoding {
    const struct archive_reader *reader;
    const struct manifest *manifest;
    const bool *damaged;
    struct item *items;
    size_t count;
    atomic_size_t next;
    atomic_bool stop;
    pthread_mutex_t lock; /* of all below */
    struct fingerprint *sums;
    bool *incomplete; /* tables of which something could not be decoded: that is the problem, not the sum */
    struct verify_result *result;
};

/* What comes out of one member. */
struct decoded {
    int64_t raw;
    struct fingerprint fingerprint;
    bool rows;                         /* text with whole rows */
    struct fingerprint_binary *binary; /* of the chunk; else NULL */
    char *carry;                       /* a row that goes on in the next piece */
    size_t carried, room;
    bool failed; /* for another reason than damage: that is an end */
};

static void carry(struct decoded *decoded, const char *data, size_t size)
{
    if (decoded->carried + size > decoded->room) {
        size_t room = (decoded->carried + size) * 2;
        char *larger = memory_allocate(room, 1);
        if (decoded->carried)
            memcpy(larger, decoded->carry, decoded->carried);
        free(decoded->carry);
        decoded->carry = larger;
        decoded->room = room;
    }
    memcpy(decoded->carry + decoded->carried, data, size);
    decoded->carried += size;
}

static void take_rows(struct decoded *decoded, const char *data, size_t size)
{
    const char *last = memrchr(data, '\n', size);

    if (last && decoded->carried) {
        size_t part = (size_t)((const char *)memchr(data, '\n', size) - data) + 1;
        carry(decoded, data, part);
        fingerprint_add_text(&decoded->fingerprint, decoded->carry, decoded->carried);
        decoded->carried = 0;
        data += part;
        size -= part;
    }
    size_t whole = last && last >= data ? (size_t)(last - data) + 1 : 0;
    fingerprint_add_text(&decoded->fingerprint, data, whole);
    if (size > whole)
        carry(decoded, data + whole, size - whole);
}

static bool take_piece(void *context, const char *data, size_t size, struct error *error)
{
    struct decoded *decoded = context;

    decoded->raw += (int64_t)size;
    if (decoded->binary)
        return fingerprint_binary_add(decoded->binary, data, size, error);
    if (decoded->rows)
        take_rows(decoded, data, size);
    return true;
}

static void problem(struct decoding *decoding, const char *member, char *text)
{
    pthread_mutex_lock(&decoding->lock);
    verify_problem(decoding->result, member, text);
    pthread_mutex_unlock(&decoding->lock);
}

/* False where the member is damaged, or decoded->failed; decoded->fingerprint is its rows'. */
static bool decode_member(struct decoding *decoding, size_t place, struct decompressor *decompressor,
                          struct decoded *decoded, struct error *error)
{
    const struct manifest_member *member = &decoding->manifest->members[place];

    if (decoding->damaged[place])
        return false;
    decoded->raw = 0;
    decoded->carried = 0;
    decoded->fingerprint = (struct fingerprint){0};
    if (!member_decode(decoding->reader, member, decompressor, take_piece, decoded, error)) {
        decoded->failed = error->code != ERROR_BACKUP;
        if (!decoded->failed) {
            problem(decoding, member->name, text_copy(error->message));
            error_clear(error);
        }
        return false;
    }
    if (decoded->raw != member->raw_size)
        problem(decoding, member->name,
                text_format("has %lld bytes when decoded, not %lld", (long long)decoded->raw,
                            (long long)member->raw_size));
    else if (decoded->carried)
        problem(decoding, member->name, text_copy("ends in the middle of a row"));
    else if (decoded->rows && decoded->fingerprint.rows != member->rows)
        problem(decoding, member->name,
                text_format("has %lld rows, not %lld", (long long)decoded->fingerprint.rows,
                            (long long)member->rows));
    else
        return true;
    return false;
}

/* The end of a chunk in COPY's binary format; *sum is its rows. */
static bool end_binary(struct decoding *decoding, const struct manifest_chunk *chunk,
                       struct fingerprint_binary *binary, struct fingerprint *sum)
{
    AUTO(error_clear) struct error error = {0};
    const char *name = decoding->manifest->members[chunk->first_member].name;

    if (!fingerprint_binary_end(binary, sum, &error)) {
        problem(decoding, name, text_copy(error.message));
        return false;
    }
    if (sum->rows == chunk->rows)
        return true;
    problem(decoding, name,
            text_format("has %lld rows with those that follow it, not %lld", (long long)sum->rows,
                        (long long)chunk->rows));
    return false;
}

static void decode_chunk(struct decoding *decoding, const struct item *item,
                         struct decompressor *decompressor, struct decoded *decoded, struct error *error)
{
    const struct manifest_table *table = &decoding->manifest->tables[item->table];
    const struct manifest_chunk *chunk = &table->chunks[item->chunk];
    AUTO(fingerprint_binary_free)
    struct fingerprint_binary *binary = table->binary ? fingerprint_binary_new() : NULL;
    struct fingerprint sum = {0};
    bool good = true;

    decoded->binary = binary;
    decoded->rows = !binary;
    for (size_t i = chunk->first_member;
         i < chunk->first_member + chunk->members && !decoding->stop && !decoded->failed; i++) {
        good = decode_member(decoding, i, decompressor, decoded, error) && good;
        fingerprint_merge(&sum, &decoded->fingerprint);
    }
    if (binary && good && chunk->members > 0)
        good = end_binary(decoding, chunk, binary, &sum);
    decoded->binary = NULL;
    decoded->rows = false;

    pthread_mutex_lock(&decoding->lock);
    fingerprint_merge(&decoding->sums[item->table], &sum);
    if (!good)
        decoding->incomplete[item->table] = true;
    pthread_mutex_unlock(&decoding->lock);
}

static bool work(void *context, size_t number, struct error *error)
{
    struct decoding *decoding = context;
    AUTO(decompressor_free) struct decompressor *decompressor = decompressor_new();
    struct decoded decoded = {0};
    size_t place;

    (void)number;
    while (!decoded.failed && !decoding->stop && (place = decoding->next++) < decoding->count) {
        const struct item *item = &decoding->items[place];
        if (item->table < decoding->manifest->table_count)
            decode_chunk(decoding, item, decompressor, &decoded, error);
        else
            (void)decode_member(decoding, item->chunk, decompressor, &decoded, error);
    }
    free(decoded.carry);
    return !decoded.failed;
}

/* Every chunk, and every frame outside of chunks. */
static void list_items(struct decoding *decoding)
{
    const struct manifest *manifest = decoding->manifest;
    OWNED bool *used = memory_allocate(manifest->member_count + 1, sizeof *used);

    for (size_t t = 0; t < manifest->table_count; t++)
        for (size_t c = 0; c < manifest->tables[t].chunk_count; c++) {
            const struct manifest_chunk *chunk = &manifest->tables[t].chunks[c];
            decoding->items = memory_grow(decoding->items, decoding->count, sizeof *decoding->items);
            decoding->items[decoding->count++] = (struct item){t, c};
            for (size_t i = 0; i < chunk->members; i++)
                used[chunk->first_member + i] = true;
        }
    for (size_t i = 0; i < manifest->member_count; i++)
        if (!used[i] && text_ends_with(manifest->members[i].name, ".zst")) {
            decoding->items = memory_grow(decoding->items, decoding->count, sizeof *decoding->items);
            decoding->items[decoding->count++] = (struct item){manifest->table_count, i};
        }
}

static void compare_tables(struct decoding *decoding)
{
    for (size_t i = 0; i < decoding->manifest->table_count; i++) {
        const struct manifest_table *table = &decoding->manifest->tables[i];
        if (table->source != TABLE_COPY || !table->fingerprinted || decoding->incomplete[i] ||
            fingerprint_equal(&decoding->sums[i], &table->fingerprint))
            continue;
        verify_problem(
            decoding->result, "manifest.json",
            text_format("says other rows of \"%s.%s\" than the archive has", table->schema, table->name));
    }
}

bool verify_decode(const struct archive_reader *reader, const struct manifest *manifest, const bool *damaged,
                   int jobs, struct verify_result *result, struct error *error)
{
    OWNED struct fingerprint *sums = memory_allocate(manifest->table_count + 1, sizeof *sums);
    OWNED bool *incomplete = memory_allocate(manifest->table_count + 1, sizeof *incomplete);
    struct decoding decoding = {.reader = reader,
                                .manifest = manifest,
                                .damaged = damaged,
                                .sums = sums,
                                .incomplete = incomplete,
                                .result = result,
                                .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t count = (size_t)jobs;
    OWNED struct task *tasks = memory_allocate(count, sizeof *tasks);

    list_items(&decoding);
    for (size_t i = 0; i < count; i++)
        tasks[i] = (struct task){.run = work, .number = i};
    bool good = tasks_run(tasks, count, &decoding.stop, NULL, &decoding, error);
    free(decoding.items);
    if (good)
        compare_tables(&decoding);
    return good;
}
