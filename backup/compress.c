/* SPDX-License-Identifier: PostgreSQL */
#include "backup/compress.h"

#include <zstd.h>

/* What level 19 makes of a stream of unknown size; a larger window would be memory that a forger chooses. */
#define LARGEST_WINDOW_LOG 23

/* The first room for a frame; it doubles until it holds the largest one. */
#define FIRST_ROOM ((size_t)1 << 20)

/* ---- making frames ---- */

struct compressor {
    ZSTD_CCtx *context;
    char *data;
    size_t size, room;
    size_t raw;
    bool open; /* false: data is a frame that was ended, or nothing */
};

/* Contexts fail only where memory is exhausted. */
static void must(bool succeeded)
{
    if (succeeded)
        return;
    fputs("pgmigrate: out of memory\n", stderr);
    exit(1);
}

struct compressor *compressor_new(int level)
{
    struct compressor *compressor = memory_allocate(1, sizeof *compressor);

    compressor->context = ZSTD_createCCtx();
    must(compressor->context &&
         !ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, level)) &&
         !ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_checksumFlag, 1)));
    return compressor;
}

void compressor_free(struct compressor *compressor)
{
    if (!compressor)
        return;
    ZSTD_freeCCtx(compressor->context);
    free(compressor->data);
    free(compressor);
}

static void make_room(struct compressor *compressor)
{
    char *larger;

    if (compressor->room - compressor->size >= ZSTD_CStreamOutSize())
        return;
    compressor->room = compressor->room ? compressor->room * 2 : FIRST_ROOM;
    larger = realloc(compressor->data, compressor->room);
    must(larger != NULL);
    compressor->data = larger;
}

static bool compress(struct compressor *compressor, const void *data, size_t size,
                     ZSTD_EndDirective directive, struct error *error)
{
    ZSTD_inBuffer input = {.src = data, .size = size};

    for (;;) {
        make_room(compressor);
        ZSTD_outBuffer output = {.dst = compressor->data, .size = compressor->room, .pos = compressor->size};
        size_t left = ZSTD_compressStream2(compressor->context, &output, &input, directive);
        compressor->size = output.pos;
        if (ZSTD_isError(left))
            return error_set(error, ERROR_FAILED, "could not compress: %s", ZSTD_getErrorName(left));
        if (directive == ZSTD_e_end ? left == 0 : input.pos == input.size)
            return true;
    }
}

bool compressor_add(struct compressor *compressor, const void *data, size_t size, struct error *error)
{
    if (!compressor->open) {
        compressor->size = compressor->raw = 0;
        compressor->open = true;
    }
    compressor->raw += size;
    return compress(compressor, data, size, ZSTD_e_continue, error);
}

size_t compressor_raw(const struct compressor *compressor)
{
    return compressor->open ? compressor->raw : 0;
}

size_t compressor_size(const struct compressor *compressor)
{
    return compressor->open ? compressor->size : 0;
}

bool compressor_end(struct compressor *compressor, const void **ret_data, size_t *ret_size,
                    struct error *error)
{
    /* A frame of nothing is a frame. */
    if (!compressor_add(compressor, NULL, 0, error) || !compress(compressor, NULL, 0, ZSTD_e_end, error))
        return false;
    compressor->open = false;
    *ret_data = compressor->data;
    *ret_size = compressor->size;
    return true;
}

/* ---- reading them ---- */

struct decompressor {
    ZSTD_DCtx *context;
    char *data;
    size_t room;
    bool inside; /* a frame is not complete yet */
};

struct decompressor *decompressor_new(void)
{
    struct decompressor *decompressor = memory_allocate(1, sizeof *decompressor);

    decompressor->context = ZSTD_createDCtx();
    must(decompressor->context && !ZSTD_isError(ZSTD_DCtx_setParameter(
                                      decompressor->context, ZSTD_d_windowLogMax, LARGEST_WINDOW_LOG)));
    decompressor->room = ZSTD_DStreamOutSize();
    decompressor->data = memory_allocate(decompressor->room, 1);
    return decompressor;
}

void decompressor_free(struct decompressor *decompressor)
{
    if (!decompressor)
        return;
    ZSTD_freeDCtx(decompressor->context);
    free(decompressor->data);
    free(decompressor);
}

/* The next stream begins anew, whatever became of this one. */
static void reset(struct decompressor *decompressor)
{
    ZSTD_DCtx_reset(decompressor->context, ZSTD_reset_session_only);
    decompressor->inside = false;
}

bool decompressor_add(struct decompressor *decompressor, const void *data, size_t size, decompress_sink *sink,
                      void *context, struct error *error)
{
    ZSTD_inBuffer input = {.src = data, .size = size};
    bool full = false; /* the last output filled the buffer: there may be more without more input */

    while (input.pos < input.size || full) {
        ZSTD_outBuffer output = {.dst = decompressor->data, .size = decompressor->room};
        size_t wanted = ZSTD_decompressStream(decompressor->context, &output, &input);
        if (ZSTD_isError(wanted)) {
            reset(decompressor);
            return error_set(error, ERROR_BACKUP, "could not decompress: %s", ZSTD_getErrorName(wanted));
        }
        full = wanted > 0 && output.pos == output.size;
        decompressor->inside = wanted > 0;
        if (output.pos > 0 && !sink(context, decompressor->data, output.pos, error)) {
            reset(decompressor);
            return false;
        }
    }
    return true;
}

bool decompressor_end(struct decompressor *decompressor, struct error *error)
{
    bool complete = !decompressor->inside;

    reset(decompressor);
    return complete || error_set(error, ERROR_BACKUP, "could not decompress: the last frame is not complete");
}
