/* SPDX-License-Identifier: PostgreSQL */
#include "backup/compress.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Decoded bytes, in pieces of whatever size. */
struct decoded {
    char *data;
    size_t size, largest;
    bool refuse;
};

static void decoded_clear(struct decoded *decoded)
{
    free(decoded->data);
}
CLEANUP_VALUE(struct decoded, decoded_clear)

static bool collect(void *context, const char *data, size_t size, struct error *error)
{
    struct decoded *decoded = context;

    if (decoded->refuse)
        return error_set(error, ERROR_FAILED, "enough");
    decoded->data = realloc(decoded->data, decoded->size + size);
    memcpy(decoded->data + decoded->size, data, size);
    decoded->size += size;
    if (size > decoded->largest)
        decoded->largest = size;
    return true;
}

static void must(bool done, const struct error *error)
{
    if (!done)
        fail_msg("%s", error->message);
}

/* Text that compresses about as a table does. */
static char *make_text(size_t size)
{
    char *text = memory_allocate(size + 64, 1);
    uint32_t seed = 1;

    for (size_t i = 0; i < size;) {
        seed = seed * 1664525 + 1013904223;
        i += (size_t)snprintf(text + i, 64, "%zu\tname %u\tt\n", i, seed >> 20);
    }
    return text;
}

static char *make_frame(int level, const char *text, size_t size, size_t *ret_size)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(compressor_free) struct compressor *compressor = compressor_new(level);
    const void *frame;

    must(compressor_add(compressor, text, size / 3, &error), &error);
    must(compressor_add(compressor, text + size / 3, size - size / 3, &error), &error);
    assert_int_equal(compressor_raw(compressor), size);
    must(compressor_end(compressor, &frame, ret_size, &error), &error);
    char *copy = memory_allocate(*ret_size + 1, 1);
    memcpy(copy, frame, *ret_size);
    return copy;
}

static void assert_decodes(const char *frames, size_t size, size_t step, const char *text, size_t text_size)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(decompressor_free) struct decompressor *decompressor = decompressor_new();
    AUTO(decoded_clear) struct decoded decoded = {0};

    for (size_t i = 0; i < size; i += step)
        must(decompressor_add(decompressor, frames + i, size - i < step ? size - i : step, collect, &decoded,
                              &error),
             &error);
    must(decompressor_end(decompressor, &error), &error);
    assert_int_equal(decoded.size, text_size);
    assert_memory_equal(decoded.data, text, text_size);
    assert_true(decoded.largest <= 1 << 20);
}

static void what_goes_in_comes_out_at_every_level(void **state)
{
    (void)state;
    size_t size = 3 << 20, frame_size = 0;
    OWNED char *text = make_text(size);
    const int levels[] = {1, COMPRESS_LEVEL_DEFAULT, 9, COMPRESS_LEVEL_MAX};

    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        OWNED char *frame = make_frame(levels[i], text, size, &frame_size);
        assert_true(frame_size < size / 2);
        assert_decodes(frame, frame_size, 100000, text, size);
    }
}

static void pieces_may_have_any_size(void **state)
{
    (void)state;
    size_t size = 20000, frame_size = 0;
    OWNED char *text = make_text(size);
    OWNED char *frame = make_frame(3, text, size, &frame_size);

    assert_decodes(frame, frame_size, 1, text, size);
    assert_decodes(frame, frame_size, frame_size, text, size);
}

static void bytes_that_do_not_compress_fit(void **state)
{
    (void)state;
    size_t size = 5 << 20, frame_size = 0;
    OWNED char *noise = memory_allocate(size, 1);
    uint64_t seed = 88172645463325252;

    for (size_t i = 0; i < size; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        noise[i] = (char)(seed >> 32);
    }
    OWNED char *frame = make_frame(2, noise, size, &frame_size);
    assert_true(frame_size >= size);
    assert_decodes(frame, frame_size, 65536, noise, size);
}

static void one_compressor_makes_many_frames_that_are_one_stream(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(compressor_free) struct compressor *compressor = compressor_new(2);
    const char *const words[] = {"one\n", "", "three\n"};
    char all[4096];
    size_t size = 0;

    for (size_t i = 0; i < 3; i++) {
        const void *frame;
        size_t frame_size;
        must(compressor_add(compressor, words[i], strlen(words[i]), &error), &error);
        must(compressor_end(compressor, &frame, &frame_size, &error), &error);
        assert_int_equal(compressor_raw(compressor), 0);
        assert_int_equal(compressor_size(compressor), 0);
        memcpy(all + size, frame, frame_size);
        size += frame_size;
    }
    assert_decodes(all, size, 7, "one\nthree\n", 10);
}

static void a_frame_grows_as_it_is_written(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(compressor_free) struct compressor *compressor = compressor_new(1);
    OWNED char *text = make_text(4 << 20);

    must(compressor_add(compressor, text, 4 << 20, &error), &error);
    assert_true(compressor_size(compressor) > 100000);
    assert_int_equal(compressor_raw(compressor), 4 << 20);
}

/* ---- damage ---- */

static bool decode_into(const char *data, size_t size, struct decoded *decoded, struct error *error)
{
    AUTO(decompressor_free) struct decompressor *decompressor = decompressor_new();

    return decompressor_add(decompressor, data, size, collect, decoded, error) &&
           decompressor_end(decompressor, error);
}

static bool decode(const char *data, size_t size, struct error *error)
{
    AUTO(decoded_clear) struct decoded decoded = {0};

    return decode_into(data, size, &decoded, error);
}

static void a_flipped_bit_never_gives_other_content(void **state)
{
    (void)state;
    size_t frame_size = 0, found = 0;
    OWNED char *text = make_text(2000);
    OWNED char *frame = make_frame(2, text, 2000, &frame_size);

    for (size_t bit = 0; bit < frame_size * 8; bit++) {
        AUTO(error_clear) struct error error = {0};
        AUTO(decoded_clear) struct decoded decoded = {0};
        frame[bit / 8] = (char)(frame[bit / 8] ^ 1 << bit % 8);
        if (!decode_into(frame, frame_size, &decoded, &error)) {
            found++;
            assert_int_equal(error.code, ERROR_BACKUP);
        } else {
            assert_int_equal(decoded.size, 2000);
            assert_memory_equal(decoded.data, text, 2000);
        }
        frame[bit / 8] = (char)(frame[bit / 8] ^ 1 << bit % 8);
    }
    /* A few bits, such as those that only tell of the window, change nothing. */
    assert_true(found >= frame_size * 8 - 32);
}

static void every_truncation_is_found(void **state)
{
    (void)state;
    size_t frame_size = 0;
    OWNED char *text = make_text(2000);
    OWNED char *frame = make_frame(2, text, 2000, &frame_size);

    for (size_t size = 1; size < frame_size; size++) {
        AUTO(error_clear) struct error error = {0};
        assert_false(decode(frame, size, &error));
        assert_int_equal(error.code, ERROR_BACKUP);
    }
}

static void what_is_no_zstd_is_refused(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_false(decode("this is no zstd", 15, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
    assert_non_null(strstr(error.message, "could not decompress"));
}

static void a_window_larger_than_ours_is_refused(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    /* magic number; no content size, no checksum; window of 128 MiB; one raw block "a", the last */
    const char frame[] = "\x28\xb5\x2f\xfd\x00\x88\x09\x00\x00"
                         "a";

    assert_false(decode(frame, sizeof frame - 1, &error));
    assert_int_equal(error.code, ERROR_BACKUP);
}

static void a_decompressor_is_good_again_after_damage(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(decompressor_free) struct decompressor *decompressor = decompressor_new();
    AUTO(decoded_clear) struct decoded decoded = {0};
    size_t frame_size = 0;
    OWNED char *frame = make_frame(2, "text\n", 5, &frame_size);

    assert_false(decompressor_add(decompressor, "garbage!", 8, collect, &decoded, &error));
    must(decompressor_add(decompressor, frame, frame_size - 1, collect, &decoded, &error), &error);
    assert_false(decompressor_end(decompressor, &error));
    error_clear(&error);
    decoded.size = 0;
    must(decompressor_add(decompressor, frame, frame_size, collect, &decoded, &error), &error);
    must(decompressor_end(decompressor, &error), &error);
    assert_int_equal(decoded.size, 5);
}

static void the_sink_can_stop(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(decompressor_free) struct decompressor *decompressor = decompressor_new();
    AUTO(decoded_clear) struct decoded decoded = {.refuse = true};
    size_t frame_size = 0;
    OWNED char *frame = make_frame(2, "text\n", 5, &frame_size);

    assert_false(decompressor_add(decompressor, frame, frame_size, collect, &decoded, &error));
    assert_string_equal(error.message, "enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_at_every_level),
        cmocka_unit_test(pieces_may_have_any_size),
        cmocka_unit_test(bytes_that_do_not_compress_fit),
        cmocka_unit_test(one_compressor_makes_many_frames_that_are_one_stream),
        cmocka_unit_test(a_frame_grows_as_it_is_written),
        cmocka_unit_test(a_flipped_bit_never_gives_other_content),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(what_is_no_zstd_is_refused),
        cmocka_unit_test(a_window_larger_than_ours_is_refused),
        cmocka_unit_test(a_decompressor_is_good_again_after_damage),
        cmocka_unit_test(the_sink_can_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
