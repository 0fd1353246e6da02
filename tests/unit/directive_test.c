/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/directive.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static char script_path[] = "001_x.sql";

static struct source script(const char *text)
{
    return (struct source){
        .path = script_path, .first_line = 1, .text = text_copy(text), .size = strlen(text)};
}

static struct directives read_good(const char *text)
{
    struct directives directives;
    AUTO(error_clear) struct error error = {0};
    struct source source = script(text);
    if (!directives_read(&source, &directives, &error))
        fail_msg("unexpected error: %s", error.message);
    free(source.text);
    return directives;
}

static struct error read_bad(const char *text)
{
    struct directives directives;
    struct error error = {0};
    struct source source = script(text);
    if (directives_read(&source, &directives, &error))
        fail_msg("no error for: %s", text);
    free(source.text);
    assert_int_equal(error.code, ERROR_USAGE);
    assert_string_equal(error.file, script_path);
    return error;
}

static void a_script_without_directives_has_none(void **state)
{
    (void)state;
    AUTO(directives_clear) struct directives directives = read_good("SELECT 1;");
    assert_false(directives.no_transaction || directives.irreversible || directives.variables);
    assert_int_equal(directives.lock_timeout_ms, -1);
    assert_int_equal(directives.statement_timeout_ms, -1);
    assert_null(directives.role);
    assert_int_equal(directives.requires.count, 0);
}

static void every_directive_is_read(void **state)
{
    (void)state;
    AUTO(directives_clear)
    struct directives directives =
        read_good("-- Adds orders.\n\n"
                  "-- pgmigrate: no-transaction, lock_timeout=5s statement_timeout = 2min\n"
                  "-- pgmigrate: role=\"Shop Owner\"\n"
                  "--pgmigrate:irreversible variables\n"
                  "-- pgmigrate: requires=041, 040_b requires=39\n"
                  "SELECT 1;");
    assert_true(directives.no_transaction && directives.irreversible && directives.variables);
    assert_int_equal(directives.lock_timeout_ms, 5000);
    assert_int_equal(directives.statement_timeout_ms, 120000);
    assert_string_equal(directives.role, "Shop Owner");
    assert_int_equal(directives.requires.count, 3);
    assert_string_equal(directives.requires.items[0], "041");
    assert_string_equal(directives.requires.items[1], "040_b");
    assert_string_equal(directives.requires.items[2], "39");
}

static void a_directive_after_a_list_of_versions_ends_it(void **state)
{
    (void)state;
    AUTO(directives_clear)
    struct directives directives = read_good("-- pgmigrate: requires=041 042 no-transaction");
    assert_int_equal(directives.requires.count, 2);
    assert_true(directives.no_transaction);
}

static void backslash_lines_and_block_comments_belong_to_the_leading_block(void **state)
{
    (void)state;
    AUTO(directives_clear)
    struct directives directives = read_good("\\set ON_ERROR_STOP on\n"
                                             "/* nested /* comment */\n"
                                             " * pgmigrate: irreversible\n */\r\n"
                                             "  -- pgmigrate: no-transaction\r\nSELECT 1;\r\n");
    assert_true(directives.no_transaction);
    assert_true(directives.irreversible);
}

static void a_directive_in_a_block_comment_of_one_line_is_read(void **state)
{
    (void)state;
    AUTO(directives_clear)
    struct directives directives = read_good("/* pgmigrate: no-transaction */ SELECT 1;");
    assert_true(directives.no_transaction);
}

static void what_stands_after_the_first_statement_is_not_read(void **state)
{
    (void)state;
    AUTO(directives_clear)
    struct directives directives = read_good("SELECT 1;\n-- pgmigrate: no-transaction\n");
    assert_false(directives.no_transaction);
}

static void prose_about_pgmigrate_is_no_directive(void **state)
{
    (void)state;
    AUTO(directives_clear)
    struct directives directives =
        read_good("-- pgmigrate runs this in a transaction\n-- see \"pgmigrate: no-transaction\"\nSELECT 1;");
    assert_false(directives.no_transaction);
}

static void an_unknown_directive_is_an_error_with_the_nearest(void **state)
{
    (void)state;
    AUTO(error_clear)
    struct error error = read_bad("-- first\n-- äö pgmigrate\n--  pgmigrate: irreversible, lock_timout=5s");
    assert_string_equal(error.message, "unknown directive \"lock_timout\"");
    assert_string_equal(error.hint, "Did you mean \"lock_timeout\"?");
    assert_int_equal(error.line, 3);
    assert_int_equal(error.column, 30);
}

static void columns_count_characters(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = read_bad("/* äöü */ -- pgmigrate: nope");
    assert_int_equal(error.column, 25);
}

static void a_directive_far_from_all_lists_them(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = read_bad("-- pgmigrate: (because)");
    assert_string_equal(error.message, "unknown directive \"(because)\"");
    assert_non_null(strstr(error.hint, "no-transaction"));
}

static void values_are_asked_for_and_refused(void **state)
{
    (void)state;
    AUTO(error_clear) struct error none = read_bad("-- pgmigrate: lock_timeout");
    assert_string_equal(none.message, "directive \"lock_timeout\" needs a value");
    AUTO(error_clear) struct error empty = read_bad("-- pgmigrate: role=");
    assert_string_equal(empty.message, "directive \"role\" needs a value");
    AUTO(error_clear) struct error open = read_bad("-- pgmigrate: role=\"x");
    assert_string_equal(open.message, "directive \"role\" needs a value");
    AUTO(error_clear) struct error value = read_bad("-- pgmigrate: no-transaction=yes");
    assert_string_equal(value.message, "directive \"no-transaction\" takes no value");
    AUTO(error_clear) struct error duration = read_bad("-- pgmigrate: lock_timeout=soon");
    assert_string_equal(duration.message, "invalid duration \"soon\" for directive \"lock_timeout\"");
}

static void a_value_given_twice_is_an_error(void **state)
{
    (void)state;
    AUTO(error_clear) struct error timeout = read_bad("-- pgmigrate: lock_timeout=1s lock_timeout=2s");
    assert_string_equal(timeout.message, "directive \"lock_timeout\" is given twice");
    AUTO(error_clear) struct error role = read_bad("-- pgmigrate: role=a\n-- pgmigrate: role=b");
    assert_string_equal(role.message, "directive \"role\" is given twice");
    assert_int_equal(role.line, 2);
}

static void what_is_meant_as_a_directive_is_not_ignored(void **state)
{
    (void)state;
    const char *const lines[] = {
        "-- pgmigrate no-transaction",    "-- pgmigrate; no-transaction",   "-- pg_migrate: no-transaction",
        "--- Pg-Migrate lock_timeout=5s", "/* @pgmigrate: irreversible */",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        AUTO(error_clear) struct error error = read_bad(lines[i]);
        assert_string_equal(error.message,
                            "this looks like a directive but does not begin with \"pgmigrate:\"");
    }
    AUTO(directives_clear)
    struct directives none = read_good("-- pgmigrate runs this file at night\n-- pg_migrate: a tool\n"
                                       "-- pgmigrates no-transaction\n-- pg\n--\n/**/\n/***/ SELECT 1;");
    assert_false(none.no_transaction);
}

static void a_line_of_dashes_or_stars_may_hold_directives(void **state)
{
    (void)state;
    AUTO(directives_clear)
    struct directives directives =
        read_good("------ pgmigrate: no-transaction\n/** pgmigrate: irreversible */\nSELECT 1;");
    assert_true(directives.no_transaction && directives.irreversible);
}

static void lines_count_from_where_the_section_begins(void **state)
{
    (void)state;
    struct directives directives;
    AUTO(error_clear) struct error error = {0};
    struct source source = script("-- migrate:down\n-- pgmigrate: nope");
    source.first_line = 10;
    source.part = SOURCE_DOWN;
    assert_false(directives_read(&source, &directives, &error));
    assert_int_equal(error.line, 11);
    free(source.text);
}

static void a_section_may_turn_its_transaction_off(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};
    AUTO(directives_clear) struct directives directives = {0};
    struct source source = script("-- migrate:up transaction:false\nSELECT 1;");
    source.part = SOURCE_UP;
    assert_true(directives_read(&source, &directives, &error));
    assert_true(directives.no_transaction);
    free(source.text);
    source = script("-- migrate:up transaction:maybe\nSELECT 1;");
    source.part = SOURCE_UP;
    assert_false(directives_read(&source, &directives, &error));
    assert_string_equal(error.message, "unknown option \"transaction:maybe\" of a section");
    assert_int_equal(error.column, 15);
    free(source.text);
}

static void a_directive_after_a_statement_is_found(void **state)
{
    (void)state;
    struct text_position place = {0};
    size_t offset = 0;
    struct source source = script(
        "-- pgmigrate: variables\nSELECT 1;\n  -- pgmigrate: no-transaction\nSELECT 2;\n/* pgmigrate: x */");
    assert_true(directives_too_late(&source, &offset, &place));
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 6);
    assert_true(directives_too_late(&source, &offset, &place));
    assert_int_equal(place.line, 5);
    assert_false(directives_too_late(&source, &offset, &place));
    free(source.text);
}

static void what_looks_like_a_directive_inside_quotes_is_none(void **state)
{
    (void)state;
    struct text_position place = {0};
    size_t offset = 0;
    struct source source =
        script("SELECT '\n-- pgmigrate: a', E'\\'\n-- pgmigrate: b', $x$\n-- pgmigrate: c$$ $x$, \"\n"
               "-- pgmigrate: d\", a$b$c;\n"
               "COPY t (a) FROM STDIN;\nit's\n-- pgmigrate: e\n\\.\nSELECT 1;\n");
    assert_false(directives_too_late(&source, &offset, &place));
    free(source.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_without_directives_has_none),
        cmocka_unit_test(every_directive_is_read),
        cmocka_unit_test(a_directive_after_a_list_of_versions_ends_it),
        cmocka_unit_test(backslash_lines_and_block_comments_belong_to_the_leading_block),
        cmocka_unit_test(a_directive_in_a_block_comment_of_one_line_is_read),
        cmocka_unit_test(what_stands_after_the_first_statement_is_not_read),
        cmocka_unit_test(prose_about_pgmigrate_is_no_directive),
        cmocka_unit_test(an_unknown_directive_is_an_error_with_the_nearest),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(a_directive_far_from_all_lists_them),
        cmocka_unit_test(values_are_asked_for_and_refused),
        cmocka_unit_test(a_value_given_twice_is_an_error),
        cmocka_unit_test(what_is_meant_as_a_directive_is_not_ignored),
        cmocka_unit_test(a_line_of_dashes_or_stars_may_hold_directives),
        cmocka_unit_test(lines_count_from_where_the_section_begins),
        cmocka_unit_test(a_section_may_turn_its_transaction_off),
        cmocka_unit_test(a_directive_after_a_statement_is_found),
        cmocka_unit_test(what_looks_like_a_directive_inside_quotes_is_none),
    };
    return cmocka_run_group_tests_name("directive", tests, NULL, NULL);
}
