/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_and_free(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void copies_are_independent_and_null_stays_null(void **state)
{
    (void)state;
    char original[] = "abc";
    OWNED char *copy = text_copy(original);

    original[0] = 'x';
    assert_string_equal(copy, "abc");
    assert_null(text_copy(NULL));
    assert_and_free(text_copy_part("abcdef", 3), "abc");
    assert_and_free(text_copy_part(NULL, 0), "");
}

static void a_format_may_be_longer_than_any_buffer(void **state)
{
    (void)state;
    OWNED char *text = text_format("%0*d-%s", 5000, 7, "end");

    assert_int_equal(strlen(text), 5004);
    assert_true(text_ends_with(text, "07-end"));
}

static void equality_knows_null(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "b"));
}

static void beginnings_and_ends_are_compared_whole(void **state)
{
    (void)state;
    assert_true(text_starts_with("042_add.sql", "042"));
    assert_true(text_starts_with("a", ""));
    assert_false(text_starts_with("04", "042"));
    assert_true(text_ends_with("042_add.sql", ".sql"));
    assert_true(text_ends_with("a", ""));
    assert_false(text_ends_with("sql", ".sql"));
    assert_false(text_ends_with("a.sq", ".sql"));
}

static void splitting_trims_and_drops_empty_parts(void **state)
{
    (void)state;
    AUTO(text_list_clear) struct text_list list = text_list_split(" a , ,b c,,\td\n,", ',');
    AUTO(text_list_clear) struct text_list nothing = text_list_split("", ',');
    AUTO(text_list_clear) struct text_list null = text_list_split(NULL, ',');

    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0], "a");
    assert_string_equal(list.items[1], "b c");
    assert_string_equal(list.items[2], "d");
    assert_int_equal(nothing.count + null.count, 0);
}

static void lists_join_and_know_what_they_contain(void **state)
{
    (void)state;
    AUTO(text_list_clear) struct text_list list = text_list_split("a b c", ' ');
    struct text_list empty = {0};

    assert_and_free(text_list_join(&list, ", "), "a, b, c");
    assert_and_free(text_list_join(&empty, ", "), "");
    assert_true(text_list_contains(&list, "b"));
    assert_false(text_list_contains(&list, "bb"));
    text_list_clear(&list);
    text_list_clear(NULL);
    assert_int_equal(list.count, 0);
    assert_false(text_list_contains(&list, "b"));
}

static void assert_position(const char *text, size_t offset, size_t line, size_t column)
{
    struct text_position position = text_position(text, offset);

    assert_int_equal(position.line, line);
    assert_int_equal(position.column, column);
}

static void positions_count_lines_and_characters(void **state)
{
    (void)state;
    assert_position("abc", 0, 1, 1);
    assert_position("abc", 3, 1, 4);
    assert_position("a\nb", 1, 1, 2); /* the line end belongs to its line */
    assert_position("a\nb", 2, 2, 1);
    assert_position("a\n\nb", 3, 3, 1);
}

static void a_carriage_return_and_line_feed_end_one_line(void **state)
{
    (void)state;
    assert_position("a\r\nbc", 3, 2, 1);
    assert_position("a\r\nbc", 4, 2, 2);
    assert_position("a\rb", 2, 1, 3); /* alone it is a character */
}

static void multi_byte_characters_are_one_column(void **state)
{
    (void)state;
    const char *text = "é€😀x";

    assert_position(text, 2, 1, 2);
    assert_position(text, 5, 1, 3);
    assert_position(text, 9, 1, 4);
}

static void the_offset_of_a_character_is_found(void **state)
{
    (void)state;
    const char *text = "é€😀x";
    size_t length = strlen(text);

    assert_int_equal(text_offset_of_character(text, length, 1), 0);
    assert_int_equal(text_offset_of_character(text, length, 2), 2);
    assert_int_equal(text_offset_of_character(text, length, 3), 5);
    assert_int_equal(text_offset_of_character(text, length, 4), 9);
    assert_int_equal(text_offset_of_character(text, length, 5), length);
    assert_int_equal(text_offset_of_character(text, length, 99), length);
    assert_int_equal(text_offset_of_character("", 0, 1), 0);
}

static void offsets_and_positions_agree(void **state)
{
    (void)state;
    const char *text = "aé€😀b";

    for (size_t character = 1; character <= 5; character++) {
        size_t offset = text_offset_of_character(text, strlen(text), character);
        assert_position(text, offset, 1, character);
    }
}

static void assert_utf8(const char *text, bool expected, size_t expected_bad)
{
    size_t bad = 999;

    /* Behind every length of plain text, so that the fast way and its borders are passed. */
    for (size_t before = 0; before < 20; before++) {
        OWNED char *padded = text_format("%.*s%s.........", (int)before, "xxxxxxxxxxxxxxxxxxxx", text);
        assert_true(text_is_utf8(padded, strlen(padded), &bad) == expected);
        if (!expected)
            assert_int_equal(bad, before + expected_bad);
    }
    assert_true(text_is_utf8(text, strlen(text), NULL) == expected);
}

static void well_formed_utf8_is_accepted(void **state)
{
    (void)state;
    assert_utf8("", true, 0);
    assert_utf8("plain\r\n\t", true, 0);
    assert_utf8("é€😀", true, 0);
    assert_utf8("\xC2\x80\xDF\xBF", true, 0);
    assert_utf8("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF", true, 0);
    assert_utf8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", true, 0);
}

static void ill_formed_utf8_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    assert_utf8("ab\x80", false, 2);           /* a continuation alone */
    assert_utf8("\xC0\xAF", false, 0);         /* longer than needed */
    assert_utf8("\xC1\xBF", false, 0);         /* the same */
    assert_utf8("\xE0\x9F\xBF", false, 0);     /* the same in three bytes */
    assert_utf8("\xF0\x8F\xBF\xBF", false, 0); /* and in four */
    assert_utf8("a\xED\xA0\x80", false, 1);    /* a surrogate */
    assert_utf8("\xF4\x90\x80\x80", false, 0); /* beyond the last character */
    assert_utf8("\xF5\x80\x80\x80", false, 0); /* no such first byte */
    assert_utf8("\xFF", false, 0);             /* nor this */
    assert_utf8("é\xE2\x82x", false, 2);       /* too few continuations */
    assert_utf8("\xF0\x9F\x98x", false, 0);    /* the same */
}

static void a_character_cut_off_by_the_end_is_refused(void **state)
{
    (void)state;
    const char *text = "€"; /* three bytes */
    size_t bad = 999;

    assert_true(text_is_utf8(text, 3, &bad));
    assert_int_equal(bad, 999);
    assert_false(text_is_utf8(text, 2, &bad));
    assert_int_equal(bad, 0);
}

static void a_nul_is_refused(void **state)
{
    (void)state;
    char text[32];
    size_t bad;

    for (size_t place = 0; place < sizeof text; place++) {
        memset(text, 'x', sizeof text);
        text[place] = '\0';
        assert_false(text_is_utf8(text, sizeof text, &bad));
        assert_int_equal(bad, place);
    }
}

static void the_width_is_in_characters(void **state)
{
    (void)state;
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("aé€😀"), 4);
}

static void assert_nearest(const char *word, const char *expected)
{
    static const char *const known[] = {"apply", "status", "rollback", "lock_timeout", "up", NULL};
    const char *nearest = text_nearest(word, known);

    if (expected == NULL)
        assert_null(nearest);
    else
        assert_string_equal(nearest, expected);
}

static void the_nearest_word_is_suggested(void **state)
{
    (void)state;
    assert_nearest("aply", "apply");
    assert_nearest("appply", "apply");
    assert_nearest("appli", "apply");
    assert_nearest("statsu", "status");
    assert_nearest("STATUS", "status");
    assert_nearest("lock-timeout", "lock_timeout");
    assert_nearest("rolback", "rollback");
    assert_nearest("rollbacks", "rollback");
}

static void nothing_is_suggested_for_a_strange_word(void **state)
{
    (void)state;
    assert_nearest("xyz", NULL);
    assert_nearest("", NULL);
    assert_nearest("ab", NULL);
    assert_nearest("stall", NULL);
    OWNED char *monster = memory_allocate(1 << 20, 1);
    memset(monster, 'a', (1 << 20) - 1);
    assert_nearest(monster, NULL);
}

static void swapped_neighbours_count_less_than_two_changes(void **state)
{
    (void)state;
    static const char *const known[] = {"from", "form", NULL};
    static const char *const one[] = {"abc", NULL};

    assert_string_equal(text_nearest("form", known), "form");
    assert_string_equal(text_nearest("acb", one), "abc");
    assert_null(text_nearest("cab", one));
}

static void assert_duration(const char *text, int64_t expected)
{
    int64_t ms = -1;

    assert_true(text_parse_duration(text, &ms));
    assert_int_equal(ms, expected);
}

static void durations_have_units(void **state)
{
    (void)state;
    assert_duration("0", 0);
    assert_duration("500", 500);
    assert_duration("500ms", 500);
    assert_duration("2s", 2000);
    assert_duration("10min", 600000);
    assert_duration("1h", 3600000);
    assert_duration("7d", 604800000);
    assert_duration("9223372036854775807", INT64_MAX);
}

static void other_durations_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "s",
                                        "-1",
                                        "+1",
                                        "1.5s",
                                        " 1s",
                                        "1s ",
                                        "1 s",
                                        "1m",
                                        "1S",
                                        "1sec",
                                        "soon",
                                        "1s2s",
                                        "0x10",
                                        "9223372036854775808",
                                        "9223372036854775807s",
                                        "106751991168d",
                                        "99999999999999999999999999"};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t ms = 42;
        if (text_parse_duration(wrong[i], &ms))
            fail_msg("\"%s\" was accepted", wrong[i]);
        assert_int_equal(ms, 42);
    }
}

static void sizes_have_units_of_1024(void **state)
{
    (void)state;
    int64_t bytes;

    assert_true(text_parse_size("8192", &bytes) && bytes == 8192);
    assert_true(text_parse_size("8B", &bytes) && bytes == 8);
    assert_true(text_parse_size("3kB", &bytes) && bytes == 3072);
    assert_true(text_parse_size("64MB", &bytes) && bytes == 64 << 20);
    assert_true(text_parse_size("1GB", &bytes) && bytes == 1 << 30);
    assert_true(text_parse_size("2TB", &bytes) && bytes == INT64_C(2) << 40);
    assert_false(text_parse_size("64mb", &bytes));
    assert_false(text_parse_size("-1", &bytes));
    assert_false(text_parse_size("9000000000TB", &bytes));
}

static void integers_have_bounds(void **state)
{
    (void)state;
    int64_t value = 42;

    assert_true(text_parse_integer("10", 1, 10, &value) && value == 10);
    assert_true(text_parse_integer("001", 1, 10, &value) && value == 1);
    assert_false(text_parse_integer("11", 1, 10, &value));
    assert_false(text_parse_integer("0", 1, 10, &value));
    assert_false(text_parse_integer("1ms", 1, 10, &value));
    assert_false(text_parse_integer("", 0, 10, &value));
    assert_false(text_parse_integer("-1", -5, 10, &value));
    assert_int_equal(value, 1);
}

static void durations_are_shown_for_people(void **state)
{
    (void)state;
    assert_and_free(text_duration(0), "0 ms");
    assert_and_free(text_duration(180), "180 ms");
    assert_and_free(text_duration(999), "999 ms");
    assert_and_free(text_duration(1000), "1.0 s");
    assert_and_free(text_duration(2449), "2.4 s");
    assert_and_free(text_duration(2450), "2.5 s");
    assert_and_free(text_duration(1960), "2.0 s");
    assert_and_free(text_duration(59949), "59.9 s");
    assert_and_free(text_duration(59950), "1:00");
    assert_and_free(text_duration(736000), "12:16");
    assert_and_free(text_duration(3599400), "59:59");
    assert_and_free(text_duration(3599500), "1:00:00");
    assert_and_free(text_duration(3723000), "1:02:03");
}

static void sizes_are_shown_for_people(void **state)
{
    (void)state;
    assert_and_free(text_size(0), "0 B");
    assert_and_free(text_size(512), "512 B");
    assert_and_free(text_size(1023), "1023 B");
    assert_and_free(text_size(1024), "1.0 kB");
    assert_and_free(text_size(65536), "64.0 kB");
    assert_and_free(text_size(1048575), "1.0 MB");
    assert_and_free(text_size(INT64_C(1536) << 20), "1.5 GB");
    assert_and_free(text_size(INT64_MAX), "8.0 EB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_independent_and_null_stays_null),
        cmocka_unit_test(a_format_may_be_longer_than_any_buffer),
        cmocka_unit_test(equality_knows_null),
        cmocka_unit_test(beginnings_and_ends_are_compared_whole),
        cmocka_unit_test(splitting_trims_and_drops_empty_parts),
        cmocka_unit_test(lists_join_and_know_what_they_contain),
        cmocka_unit_test(positions_count_lines_and_characters),
        cmocka_unit_test(a_carriage_return_and_line_feed_end_one_line),
        cmocka_unit_test(multi_byte_characters_are_one_column),
        cmocka_unit_test(the_offset_of_a_character_is_found),
        cmocka_unit_test(offsets_and_positions_agree),
        cmocka_unit_test(well_formed_utf8_is_accepted),
        cmocka_unit_test(ill_formed_utf8_is_refused_at_its_first_byte),
        cmocka_unit_test(a_character_cut_off_by_the_end_is_refused),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(the_width_is_in_characters),
        cmocka_unit_test(the_nearest_word_is_suggested),
        cmocka_unit_test(nothing_is_suggested_for_a_strange_word),
        cmocka_unit_test(swapped_neighbours_count_less_than_two_changes),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(other_durations_are_refused),
        cmocka_unit_test(sizes_have_units_of_1024),
        cmocka_unit_test(integers_have_bounds),
        cmocka_unit_test(durations_are_shown_for_people),
        cmocka_unit_test(sizes_are_shown_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
