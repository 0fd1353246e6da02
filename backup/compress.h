/* SPDX-License-Identifier: PostgreSQL */
/*
 * zstd frames (RFC 8878): the only user of zstd. Each frame is complete in itself, carries zstd's content
 * checksum, and no window larger than its level's default, so that any zstd decodes it; frames one after the
 * other are one stream ("cat *.zst | zstd -dc").
 *
 * The frame does not tell its content size: that is known only when its first bytes are out already; the
 * manifest has it.
 *
 * One compressor or decompressor serves one thread and any number of frames, one at a time. A compressor
 * holds the frame that it makes: at most about the size at which the caller ends it, plus one row.
 */
#ifndef BACKUP_COMPRESS_H
#define BACKUP_COMPRESS_H

#include "common/error.h"
#include "common/file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMPRESS_LEVEL_DEFAULT 2
#define COMPRESS_LEVEL_MAX     19

/* ---- making frames ---- */

struct compressor;

struct compressor *compressor_new(int level);
void compressor_free(struct compressor *compressor);
CLEANUP_POINTER(struct compressor *, compressor_free)

/* Begins a frame where none is open. */
MUST_CHECK bool compressor_add(struct compressor *compressor, const void *data, size_t size,
                               struct error *error);
size_t compressor_raw(const struct compressor *compressor);  /* bytes in the open frame, before compression */
size_t compressor_size(const struct compressor *compressor); /* and as they come out, so far */
/* End the frame; the bytes belong to the compressor and are good until the next compressor_add. */
MUST_CHECK bool compressor_end(struct compressor *compressor, const void **ret_data, size_t *ret_size,
                               struct error *error);

/* ---- reading them ---- */

struct decompressor;

struct decompressor *decompressor_new(void);
void decompressor_free(struct decompressor *decompressor);
CLEANUP_POINTER(struct decompressor *, decompressor_free)

/* Where decoded bytes go; false stops with its error. */
typedef bool decompress_sink(void *context, const char *data, size_t size, struct error *error);

/* Give it compressed bytes, in pieces of any size. ERROR_BACKUP for what is no zstd or fails its checksum. */
MUST_CHECK bool decompressor_add(struct decompressor *decompressor, const void *data, size_t size,
                                 decompress_sink *sink, void *context, struct error *error);
/* Nothing more comes: a frame that is not complete is ERROR_BACKUP. */
MUST_CHECK bool decompressor_end(struct decompressor *decompressor, struct error *error);

#endif
