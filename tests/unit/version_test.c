/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/version.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int compare(const char *a, const char *b)
{
    AUTO(version_clear) struct version x = {0};
    AUTO(version_clear) struct version y = {0};
    assert_true(version_parse(a, &x));
    assert_true(version_parse(b, &y));
    int order = version_compare(&x, &y);
    int reverse = version_compare(&y, &x);
    assert_true((order < 0) == (reverse > 0) && (order == 0) == (reverse == 0));
    return order;
}

static int compare_number(const char *a, const char *b)
{
    AUTO(version_clear) struct version x = {0};
    AUTO(version_clear) struct version y = {0};
    assert_true(version_parse(a, &x));
    assert_true(version_parse(b, &y));
    return version_compare_number(&x, &y);
}

static bool matches(const char *stem, const char *word)
{
    AUTO(version_clear) struct version version = {0};
    assert_true(version_parse(stem, &version));
    return version_matches(&version, word);
}

static void a_stem_is_taken_apart(void **state)
{
    (void)state;
    AUTO(version_clear) struct version version = {0};
    assert_true(version_parse("0042ab_add_orders", &version));
    assert_string_equal(version.stem, "0042ab_add_orders");
    assert_string_equal(version.number, "42");
    assert_string_equal(version.digits, "0042");
    assert_string_equal(version.suffix, "ab");
    assert_string_equal(version.description, "add_orders");
}

static void a_flyway_stem_is_taken_apart(void **state)
{
    (void)state;
    AUTO(version_clear) struct version version = {0};
    assert_true(version_parse("V01_2.0__add orders", &version));
    assert_string_equal(version.number, "1.2");
    assert_string_equal(version.digits, "01_2.0");
    assert_string_equal(version.suffix, "");
    assert_string_equal(version.description, "add orders");
}

static void a_bare_number_is_a_version_without_description(void **state)
{
    (void)state;
    AUTO(version_clear) struct version version = {0};
    assert_true(version_parse("007", &version));
    assert_string_equal(version.number, "7");
    assert_string_equal(version.description, "");
}

static void zero_keeps_one_digit(void **state)
{
    (void)state;
    AUTO(version_clear) struct version version = {0};
    assert_true(version_parse("000_x", &version));
    assert_string_equal(version.number, "0");
}

static void a_stem_without_a_leading_number_is_no_version(void **state)
{
    (void)state;
    struct version version;
    assert_false(version_parse("add_orders", &version));
    assert_false(version_parse("_1_x", &version));
    assert_false(version_parse("", &version));
    assert_false(version_parse("Vx__y", &version));
}

static void numbers_are_compared_as_numbers(void **state)
{
    (void)state;
    assert_true(compare("9_b", "10_a") < 0);
    assert_true(compare("099_x", "100_x") < 0);
    assert_true(compare("20261123000000_x", "999999_x") > 0);
    assert_true(compare("1234567890123456789012345678901234567890_x",
                        "1234567890123456789012345678901234567891_x") < 0);
}

static void letters_sort_after_their_number_and_before_the_next(void **state)
{
    (void)state;
    assert_true(compare("025_z", "025a_a") < 0);
    assert_true(compare("025a_z", "025b_a") < 0);
    assert_true(compare("025b_z", "026_a") < 0);
}

static void descriptions_order_equal_numbers(void **state)
{
    (void)state;
    assert_true(compare("7_a", "007_b") < 0);
    assert_true(compare("007_a", "7_a") != 0);
    assert_int_equal(compare("7_a", "7_a"), 0);
}

static void leading_zeros_do_not_make_another_number(void **state)
{
    (void)state;
    assert_int_equal(compare_number("007_x", "7_y"), 0);
    assert_int_not_equal(compare_number("025_x", "025a_x"), 0);
}

static void dotted_versions_are_compared_part_by_part(void **state)
{
    (void)state;
    assert_true(compare("V1.9__x", "V1.10__x") < 0);
    assert_true(compare("V1_2__x", "V1.10__x") < 0);
    assert_true(compare("V1__x", "V1.1__x") < 0);
    assert_true(compare("V2__x", "V1.99__x") > 0);
    assert_int_equal(compare_number("V1__x", "V1.0.0__y"), 0);
    assert_true(compare_number("V1.0.1__x", "V1__y") > 0);
}

static void a_word_names_a_version_by_stem_or_number(void **state)
{
    (void)state;
    assert_true(matches("042_add", "042_add"));
    assert_true(matches("042_add", "042"));
    assert_true(matches("042_add", "42"));
    assert_true(matches("042_add", "0000042"));
    assert_true(matches("025a_add", "25a"));
    assert_false(matches("025a_add", "25"));
    assert_false(matches("025_add", "25a"));
    assert_false(matches("042_add", "042_ad"));
    assert_false(matches("042_add", ""));
    assert_false(matches("042_add", "4"));
}

static void a_word_names_a_flyway_version_with_and_without_its_letter(void **state)
{
    (void)state;
    assert_true(matches("V1_2__add", "1.2"));
    assert_true(matches("V1_2__add", "V1_2"));
    assert_true(matches("V1_2__add", "1.2.0"));
    assert_false(matches("V1_2__add", "1"));
    assert_false(matches("12_add", "V12"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stem_is_taken_apart),
        cmocka_unit_test(a_flyway_stem_is_taken_apart),
        cmocka_unit_test(a_bare_number_is_a_version_without_description),
        cmocka_unit_test(zero_keeps_one_digit),
        cmocka_unit_test(a_stem_without_a_leading_number_is_no_version),
        cmocka_unit_test(numbers_are_compared_as_numbers),
        cmocka_unit_test(letters_sort_after_their_number_and_before_the_next),
        cmocka_unit_test(descriptions_order_equal_numbers),
        cmocka_unit_test(leading_zeros_do_not_make_another_number),
        cmocka_unit_test(dotted_versions_are_compared_part_by_part),
        cmocka_unit_test(a_word_names_a_version_by_stem_or_number),
        cmocka_unit_test(a_word_names_a_flyway_version_with_and_without_its_letter),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
