/* SPDX-License-Identifier: PostgreSQL */
#include "common/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void setting_fills_and_returns_false(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    assert_false(error_set(&error, ERROR_LOCKED, "held by %d", 17));
    assert_int_equal(error.code, ERROR_LOCKED);
    assert_string_equal(error.message, "held by 17");
    assert_null(error.detail);
    assert_null(error.hint);
    assert_null(error.file);
}

static void setting_forgets_what_was_there(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    error_set(&error, ERROR_CONFLICT, "first");
    error_detail(&error, "Detail.");
    error_hint(&error, "Hint.");
    error_at(&error, "a.sql", 3, 4);
    memcpy(error.sqlstate, "42P01", 6);
    error.statement_position = 9;
    error_set(&error, ERROR_FAILED, "second");
    assert_null(error.detail);
    assert_null(error.hint);
    assert_null(error.file);
    assert_string_equal(error.sqlstate, "");
    assert_int_equal(error.line + error.column + error.statement_position, 0);
}

static void the_old_message_may_be_part_of_the_new_one(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    error_set(&error, ERROR_FAILED, "inner");
    error_set(&error, ERROR_FAILED, "outer: %s", error.message);
    assert_string_equal(error.message, "outer: inner");
    error_detail(&error, "one");
    error_detail(&error, "%s two", error.detail);
    assert_string_equal(error.detail, "one two");
    error_at(&error, "x.sql", 1, 1);
    error_at(&error, error.file, 2, 1);
    assert_string_equal(error.file, "x.sql");
}

static void additions_return_false_and_replace_but_empty_ones_do_nothing(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    error_set(&error, ERROR_FAILED, "message");
    assert_false(error_hint(&error, "Do %s.", "this"));
    assert_false(error_hint(&error, "%s", ""));
    assert_false(error_hint(&error, NULL));
    assert_string_equal(error.hint, "Do this.");
    assert_false(error_hint(&error, "Do that."));
    assert_string_equal(error.hint, "Do that.");
    assert_false(error_detail(&error, "%s", ""));
    assert_null(error.detail);
    assert_false(error_at(&error, "m.sql", 7, 2));
    assert_string_equal(error.file, "m.sql");
    assert_int_equal(error.line, 7);
    assert_int_equal(error.column, 2);
}

static void a_prefix_stands_before_the_message(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    error_set(&error, ERROR_FAILED, "permission denied");
    assert_false(error_prefix(&error, "could not read %s", "history"));
    assert_string_equal(error.message, "could not read history: permission denied");
    error_prefix(&error, "%s", "");
    assert_string_equal(error.message, "could not read history: permission denied");
}

static void moving_leaves_the_source_empty(void **state)
{
    (void)state;
    AUTO(error_clear) struct error from = {0};
    AUTO(error_clear) struct error to = {0};

    error_set(&to, ERROR_USAGE, "old");
    error_set(&from, ERROR_REFUSED, "new");
    error_hint(&from, "Hint.");
    error_move(&to, &from);
    assert_int_equal(to.code, ERROR_REFUSED);
    assert_string_equal(to.message, "new");
    assert_string_equal(to.hint, "Hint.");
    assert_int_equal(from.code, ERROR_NONE);
    assert_null(from.message);
    error_move(&to, &to);
    assert_string_equal(to.message, "new");
}

static void clearing_takes_null_and_may_be_repeated(void **state)
{
    (void)state;
    struct error error = {0};

    error_clear(NULL);
    error_set(&error, ERROR_FAILED, "x");
    error_clear(&error);
    error_clear(&error);
    assert_null(error.message);
    assert_int_equal(error.code, ERROR_NONE);
}

static void every_exit_status_has_its_name_and_meaning(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *name;
    } expected[] = {{0, "ok"},          {1, "failed"}, {2, "usage"},    {3, "findings"},
                    {4, "connection"},  {5, "locked"}, {6, "conflict"}, {7, "partial"},
                    {8, "unknown"},     {9, "backup"}, {10, "refused"}, {130, "interrupted"},
                    {143, "terminated"}};
    size_t count = sizeof expected / sizeof *expected;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(error_codes[i].code, expected[i].code);
        assert_string_equal(error_codes[i].name, expected[i].name);
        assert_string_equal(error_code_name((enum error_code)expected[i].code), expected[i].name);
        assert_non_null(error_codes[i].meaning);
    }
    assert_null(error_codes[count].name);
    assert_string_equal(error_code_name((enum error_code)99), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_fills_and_returns_false),
        cmocka_unit_test(setting_forgets_what_was_there),
        cmocka_unit_test(the_old_message_may_be_part_of_the_new_one),
        cmocka_unit_test(additions_return_false_and_replace_but_empty_ones_do_nothing),
        cmocka_unit_test(a_prefix_stands_before_the_message),
        cmocka_unit_test(moving_leaves_the_source_empty),
        cmocka_unit_test(clearing_takes_null_and_may_be_repeated),
        cmocka_unit_test(every_exit_status_has_its_name_and_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
