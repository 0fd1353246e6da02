/* SPDX-License-Identifier: PostgreSQL */
#include "backup/fingerprint.h"

#include <inttypes.h>

/* Inlined: a call for each row would cost as much as hashing it. */
#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- text ---- */

void fingerprint_add_rows(struct fingerprint *fingerprint, const char *data, const uint32_t *lengths,
                          size_t rows)
{
    const char *row = data;
    uint64_t sum = 0;

    for (size_t i = 0; i < rows; i++) {
        sum += XXH3_64bits(row, lengths[i] - 1); /* without the newline */
        row += lengths[i];
    }
    fingerprint->rows += (int64_t)rows;
    fingerprint->bytes += row - data;
    fingerprint->sum += sum;
}

void fingerprint_add_text(struct fingerprint *fingerprint, const char *data, size_t size)
{
    const char *row = data, *end = data + size;

    for (const char *newline; (newline = memchr(row, '\n', (size_t)(end - row))); row = newline + 1) {
        fingerprint->sum += XXH3_64bits(row, (size_t)(newline - row));
        fingerprint->rows++;
    }
    fingerprint->bytes += row - data;
}

void fingerprint_merge(struct fingerprint *fingerprint, const struct fingerprint *other)
{
    fingerprint->rows += other->rows;
    fingerprint->bytes += other->bytes;
    fingerprint->sum += other->sum;
}

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return a->rows == b->rows && a->bytes == b->bytes && a->sum == b->sum;
}

void fingerprint_text(const struct fingerprint *fingerprint, char ret[FINGERPRINT_TEXT_SIZE])
{
    snprintf(ret, FINGERPRINT_TEXT_SIZE, "%016" PRIx64, fingerprint->sum);
}

bool fingerprint_parse(const char *text, uint64_t *ret_sum)
{
    if (strlen(text) != FINGERPRINT_TEXT_SIZE - 1 || strspn(text, "0123456789abcdef") != strlen(text))
        return false;
    *ret_sum = strtoull(text, NULL, 16);
    return true;
}

/* ---- binary COPY ---- */

/* What comes next in the stream. Lengths are big-endian, as everything in the format. */
enum binary_state {
    BINARY_HEADER,    /* signature, flags, length of the extension */
    BINARY_EXTENSION, /* left bytes of it */
    BINARY_COUNT,     /* of a tuple's fields, or the trailer */
    BINARY_LENGTH,    /* of a field */
    BINARY_FIELD,     /* left bytes of it */
    BINARY_END,
};

#define SIGNATURE_SIZE 11
#define HEADER_SIZE    (SIGNATURE_SIZE + 8)

struct fingerprint_binary {
    struct fingerprint fingerprint;
    enum binary_state state;
    XXH3_state_t *hash; /* of the tuple that is being read */
    unsigned char piece[HEADER_SIZE];
    size_t got;      /* bytes in piece */
    size_t left;     /* bytes of the extension or field still to come */
    unsigned fields; /* of the tuple still to come */
};

struct fingerprint_binary *fingerprint_binary_new(void)
{
    struct fingerprint_binary *binary = memory_allocate(1, sizeof *binary);

    binary->hash = XXH3_createState();
    if (!binary->hash) {
        fputs("pgmigrate: out of memory\n", stderr);
        exit(1);
    }
    return binary;
}

void fingerprint_binary_free(struct fingerprint_binary *binary)
{
    if (!binary)
        return;
    XXH3_freeState(binary->hash);
    free(binary);
}

static uint32_t big_endian(const unsigned char *bytes, size_t size)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static size_t piece_size(enum binary_state state)
{
    return state == BINARY_HEADER ? HEADER_SIZE : state == BINARY_COUNT ? 2 : 4;
}

static void hash(struct fingerprint_binary *binary, const void *data, size_t size)
{
    XXH3_64bits_update(binary->hash, data, size);
    binary->fingerprint.bytes += (int64_t)size;
}

static void next_field(struct fingerprint_binary *binary)
{
    binary->state = binary->fields > 0 ? BINARY_LENGTH : BINARY_COUNT;
    if (binary->fields == 0) {
        binary->fingerprint.sum += XXH3_64bits_digest(binary->hash);
        binary->fingerprint.rows++;
    } else {
        binary->fields--;
    }
}

static bool take_header(struct fingerprint_binary *binary, struct error *error)
{
    static const char signature[SIGNATURE_SIZE] = "PGCOPY\n\377\r\n";

    /* The upper half of the flags is what a reader must know: none is in use today. */
    if (memcmp(binary->piece, signature, SIGNATURE_SIZE) != 0 ||
        big_endian(binary->piece + SIGNATURE_SIZE, 4) >> 16 != 0)
        return error_set(error, ERROR_BACKUP, "the rows are not in COPY's binary format");
    binary->left = big_endian(binary->piece + SIGNATURE_SIZE + 4, 4);
    binary->state = binary->left > 0 ? BINARY_EXTENSION : BINARY_COUNT;
    return true;
}

static bool take_count(struct fingerprint_binary *binary, struct error *error)
{
    int16_t count = (int16_t)big_endian(binary->piece, 2);

    if (count < -1)
        return error_set(error, ERROR_BACKUP, "a row in COPY's binary format has %d fields", count);
    if (count == -1) {
        binary->state = BINARY_END;
        return true;
    }
    binary->fields = (unsigned)count;
    XXH3_64bits_reset(binary->hash);
    hash(binary, binary->piece, 2);
    next_field(binary);
    return true;
}

static bool take_length(struct fingerprint_binary *binary, struct error *error)
{
    int32_t length = (int32_t)big_endian(binary->piece, 4);

    if (length < -1)
        return error_set(error, ERROR_BACKUP, "a field in COPY's binary format has %d bytes", (int)length);
    hash(binary, binary->piece, 4);
    binary->left = length > 0 ? (size_t)length : 0;
    if (binary->left > 0)
        binary->state = BINARY_FIELD;
    else
        next_field(binary);
    return true;
}

static bool take_piece(struct fingerprint_binary *binary, struct error *error)
{
    binary->got = 0;
    switch (binary->state) {
    case BINARY_HEADER:
        return take_header(binary, error);
    case BINARY_COUNT:
        return take_count(binary, error);
    case BINARY_LENGTH:
        return take_length(binary, error);
    case BINARY_EXTENSION:
    case BINARY_FIELD:
    case BINARY_END:
        break;
    }
    return error_set(error, ERROR_BACKUP, "bytes follow the end of COPY's binary format");
}

/* Bytes that are only counted or hashed. */
static size_t skip(struct fingerprint_binary *binary, const char *data, size_t size)
{
    size_t part = size < binary->left ? size : binary->left;

    binary->left -= part;
    if (binary->state == BINARY_FIELD)
        hash(binary, data, part);
    if (binary->left > 0)
        return part;
    if (binary->state == BINARY_FIELD)
        next_field(binary);
    else
        binary->state = BINARY_COUNT;
    return part;
}

bool fingerprint_binary_add(struct fingerprint_binary *binary, const char *data, size_t size,
                            struct error *error)
{
    while (size > 0) {
        size_t part;

        if (binary->state == BINARY_FIELD || binary->state == BINARY_EXTENSION) {
            part = skip(binary, data, size);
        } else {
            size_t wanted = piece_size(binary->state) - binary->got;
            part = size < wanted ? size : wanted;
            memcpy(binary->piece + binary->got, data, part);
            binary->got += part;
            if (part == wanted && !take_piece(binary, error))
                return false;
        }
        data += part;
        size -= part;
    }
    return true;
}

bool fingerprint_binary_end(struct fingerprint_binary *binary, struct fingerprint *ret, struct error *error)
{
    if (binary->state != BINARY_END || binary->got > 0)
        return error_set(error, ERROR_BACKUP, "the rows in COPY's binary format have no end");
    *ret = binary->fingerprint;
    return true;
}
