/* SPDX-License-Identifier: PostgreSQL */
/*
 * What a table's rows are, whatever order they come in: their number, their bytes, and the sum modulo 2^64 of
 * XXH3 (xxhash's 64-bit hash, seed 0) of each row as COPY writes it in text format, without the newline. Two
 * tables with equal fingerprints hold the same rows; it is proof against loss and damage, not against
 * forgery.
 */
#ifndef BACKUP_FINGERPRINT_H
#define BACKUP_FINGERPRINT_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fingerprint {
    int64_t rows;
    int64_t bytes; /* of the rows' text, newlines included */
    uint64_t sum;
};

#define FINGERPRINT_TEXT_SIZE 17 /* 16 hexadecimal digits and a NUL */

/* Rows whose lengths are known, as copy_block has them. */
void fingerprint_add_rows(struct fingerprint *fingerprint, const char *data, const uint32_t *lengths,
                          size_t rows);
/* Whole rows of text, each ended by a newline. */
void fingerprint_add_text(struct fingerprint *fingerprint, const char *data, size_t size);
void fingerprint_merge(struct fingerprint *fingerprint, const struct fingerprint *other);
bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);
void fingerprint_text(const struct fingerprint *fingerprint, char ret[FINGERPRINT_TEXT_SIZE]);
bool fingerprint_parse(const char *text, uint64_t *ret_sum);

/*
 * Binary COPY (a stream of any pieces, with header and trailer): the hash of each tuple from its field count
 * to its last field. For tables whose rows text cannot carry.
 */
struct fingerprint_binary;
struct fingerprint_binary *fingerprint_binary_new(void);
MUST_CHECK bool fingerprint_binary_add(struct fingerprint_binary *binary, const char *data, size_t size,
                                       struct error *error);
MUST_CHECK bool fingerprint_binary_end(struct fingerprint_binary *binary, struct fingerprint *ret,
                                       struct error *error);
void fingerprint_binary_free(struct fingerprint_binary *binary);
CLEANUP_POINTER(struct fingerprint_binary *, fingerprint_binary_free)

#endif
