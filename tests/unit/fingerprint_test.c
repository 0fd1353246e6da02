/* SPDX-License-Identifier: PostgreSQL */
#include "backup/fingerprint.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct fingerprint of_text(const char *text)
{
    struct fingerprint fingerprint = {0};

    fingerprint_add_text(&fingerprint, text, strlen(text));
    return fingerprint;
}

static void the_published_hash_comes_out(void **state)
{
    (void)state;
    char text[FINGERPRINT_TEXT_SIZE];
    struct fingerprint fingerprint = of_text("\n"); /* one empty row */

    /* XXH3_64bits of nothing, seed 0, as xxhash's own test has it; "xxhsum -H3" says the same */
    fingerprint_text(&fingerprint, text);
    assert_string_equal(text, "2d06800538d394c2");
    fingerprint = of_text("1\tname\n"); /* printf '1\tname' | xxhsum -H3 */
    fingerprint_text(&fingerprint, text);
    assert_string_equal(text, "2aac36981e8e132c");
}

static void order_does_not_matter(void **state)
{
    (void)state;
    struct fingerprint a = of_text("1\tx\n2\ty\n3\t\\N\n"), b = of_text("3\t\\N\n1\tx\n2\ty\n");

    assert_true(fingerprint_equal(&a, &b));
    assert_int_equal(a.rows, 3);
    assert_int_equal(a.bytes, 13);
}

static void every_difference_of_rows_shows(void **state)
{
    (void)state;
    struct fingerprint whole = of_text("1\tx\n2\ty\n2\ty\n");
    const char *const others[] = {"1\tx\n2\ty\n",       "1\tx\n2\tY\n2\ty\n", "1\tx\n2\ty\n2\ty\n2\ty\n",
                                  "1\tx\n1\tx\n2\ty\n", "1\tx2\ty\n2\ty\n",   ""};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct fingerprint other = of_text(others[i]);
        assert_false(fingerprint_equal(&whole, &other));
    }
}

static void rows_with_lengths_give_what_text_gives(void **state)
{
    (void)state;
    char text[100 * 301];
    uint32_t lengths[301];
    size_t size = 0;

    /* every length on both sides of the hash's own limits */
    for (uint32_t i = 0; i < 301; i++) {
        uint32_t length = i % 90;
        memset(text + size, 'a' + (int)(i % 26), length);
        text[size + length] = '\n';
        lengths[i] = length + 1;
        size += length + 1;
    }
    struct fingerprint rows = {0}, lines = {0};
    fingerprint_add_rows(&rows, text, lengths, 301);
    fingerprint_add_text(&lines, text, size);
    assert_true(fingerprint_equal(&rows, &lines));
    assert_int_equal(rows.rows, 301);
    assert_int_equal(rows.bytes, size);
}

static void long_rows_count_whole(void **state)
{
    (void)state;
    OWNED char *text = memory_allocate(1 << 20, 1);
    uint32_t length = 1 << 20;

    memset(text, 'x', length);
    text[length - 1] = '\n';
    struct fingerprint a = {0}, b = {0};
    fingerprint_add_rows(&a, text, &length, 1);
    text[500000] = 'y';
    fingerprint_add_rows(&b, text, &length, 1);
    assert_int_equal(a.bytes, b.bytes);
    assert_false(fingerprint_equal(&a, &b));
}

static void parts_add_up_to_the_whole(void **state)
{
    (void)state;
    struct fingerprint whole = of_text("a\nb\nc\nd\n"), sum = of_text("d\nb\n"), rest = of_text("a\nc\n");

    fingerprint_merge(&sum, &rest);
    assert_true(fingerprint_equal(&whole, &sum));
}

static void text_and_back(void **state)
{
    (void)state;
    struct fingerprint fingerprint = {.sum = 0x00ff00000000000a};
    char text[FINGERPRINT_TEXT_SIZE];
    uint64_t sum = 0;

    fingerprint_text(&fingerprint, text);
    assert_string_equal(text, "00ff00000000000a");
    assert_true(fingerprint_parse(text, &sum));
    assert_int_equal(sum, fingerprint.sum);
    assert_false(fingerprint_parse("", &sum));
    assert_false(fingerprint_parse("00ff00000000000", &sum));
    assert_false(fingerprint_parse("00ff00000000000g", &sum));
    assert_false(fingerprint_parse("+0ff00000000000a", &sum));
    assert_false(fingerprint_parse("00FF00000000000A", &sum));
    assert_false(fingerprint_parse("00ff00000000000a0", &sum));
}

/* ---- binary ---- */

#define HEADER                                                                                               \
    "PGCOPY\n\377\r\n\0"                                                                                     \
    "\0\0\0\0"                                                                                               \
    "\0\0\0\0"
#define EXTENDED                                                                                             \
    "PGCOPY\n\377\r\n\0"                                                                                     \
    "\0\0\0\0"                                                                                               \
    "\0\0\0\3"                                                                                               \
    "abc"
#define TRAILER "\377\377"
#define ROW_ONE                                                                                              \
    "\0\2"                                                                                                   \
    "\0\0\0\4"                                                                                               \
    "\0\0\0\1"                                                                                               \
    "\0\0\0\2"                                                                                               \
    "hi"
#define ROW_TWO                                                                                              \
    "\0\2"                                                                                                   \
    "\377\377\377\377"                                                                                       \
    "\0\0\0\0"
#define ROW_EMPTY   "\0\0"
#define BYTES(text) text, sizeof(text) - 1

static bool of_binary(const char *data, size_t size, size_t step, struct fingerprint *ret,
                      struct error *error)
{
    AUTO(fingerprint_binary_free) struct fingerprint_binary *binary = fingerprint_binary_new();

    for (size_t i = 0; i < size; i += step)
        if (!fingerprint_binary_add(binary, data + i, size - i < step ? size - i : step, error))
            return false;
    return fingerprint_binary_end(binary, ret, error);
}

static void binary_rows_count_whatever_the_pieces(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct fingerprint whole = {0}, pieces = {0}, swapped = {0}, extended = {0};

    assert_true(of_binary(BYTES(HEADER ROW_ONE ROW_TWO ROW_EMPTY TRAILER), 1000, &whole, &error));
    assert_true(of_binary(BYTES(HEADER ROW_ONE ROW_TWO ROW_EMPTY TRAILER), 1, &pieces, &error));
    assert_true(of_binary(BYTES(HEADER ROW_EMPTY ROW_TWO ROW_ONE TRAILER), 3, &swapped, &error));
    assert_true(of_binary(BYTES(EXTENDED ROW_EMPTY ROW_TWO ROW_ONE TRAILER), 3, &extended, &error));
    assert_int_equal(whole.rows, 3);
    assert_int_equal(whole.bytes, sizeof(ROW_ONE ROW_TWO ROW_EMPTY) - 1);
    assert_true(fingerprint_equal(&whole, &pieces));
    assert_true(fingerprint_equal(&whole, &swapped));
    assert_true(fingerprint_equal(&whole, &extended));
}

static void binary_rows_hash_as_their_bytes(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    struct fingerprint binary = {0}, text = {0};
    const uint32_t length = sizeof ROW_ONE;

    assert_true(of_binary(BYTES(HEADER ROW_ONE TRAILER), 5, &binary, &error));
    fingerprint_add_rows(&text, ROW_ONE "\n", &length, 1);
    assert_int_equal(binary.sum, text.sum);
}

static void broken_binary_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
    } broken[] = {
        {BYTES("")},
        {BYTES("PGCOPX\n\377\r\n\0"
               "\0\0\0\0"
               "\0\0\0\0" TRAILER)},
        {BYTES("PGCOPY\n\377\r\n\0"
               "\0\1\0\0"
               "\0\0\0\0" TRAILER)}, /* a flag that must be known */
        {BYTES(HEADER)},
        {BYTES(HEADER ROW_ONE)},
        {BYTES(HEADER "\0\2\0\0\0\4")},
        {BYTES(HEADER ROW_ONE TRAILER "x")},
        {BYTES(HEADER ROW_ONE TRAILER TRAILER)},
        {BYTES(HEADER "\377\376")},
        {BYTES(HEADER "\0\1"
                      "\377\377\377\376" TRAILER)},
    };

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        AUTO(error_clear) struct error error = {0};
        struct fingerprint fingerprint;
        assert_false(of_binary(broken[i].data, broken[i].size, 4, &fingerprint, &error));
        assert_int_equal(error.code, ERROR_BACKUP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_hash_comes_out),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(every_difference_of_rows_shows),
        cmocka_unit_test(rows_with_lengths_give_what_text_gives),
        cmocka_unit_test(long_rows_count_whole),
        cmocka_unit_test(parts_add_up_to_the_whole),
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(binary_rows_count_whatever_the_pieces),
        cmocka_unit_test(binary_rows_hash_as_their_bytes),
        cmocka_unit_test(broken_binary_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
