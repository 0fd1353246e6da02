/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/new.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NOON 1795435200 /* 2026-11-23 12:00:00 UTC */

static struct folder *folder_of(const char *stem, enum layout layout)
{
    struct folder *folder = memory_allocate(1, sizeof *folder);
    if (!stem)
        return folder;
    struct migration *migration = memory_allocate(1, sizeof *migration);
    assert_true(version_parse(stem, &migration->version));
    migration->layout = layout;
    migration->forward.path = text_format("elsewhere/%s.sql", stem);
    folder->items = memory_grow(folder->items, 0, sizeof *folder->items);
    folder->items[folder->count++] = migration;
    return folder;
}

static void number_is(const char *last, enum new_numbering numbering, const char *expected)
{
    AUTO(folder_free) struct folder *folder = folder_of(last, LAYOUT_NATIVE);
    const struct new_request request = {.folder = folder, .numbering = numbering, .now = NOON};
    OWNED char *number = new_number(&request);
    assert_string_equal(number, expected);
}

static void descriptions_become_lower_case_words(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"Add orders", "add_orders"},
        {"add-orders!", "add_orders"},
        {"  two  blanks ", "two_blanks"},
        {"__a__b__", "a_b"},
        {"f\xC3\xBCr 2 Preise", "f_r_2_preise"},
        {"../../etc/passwd", "etc_passwd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OWNED char *description = new_description(cases[i][0]);
        assert_string_equal(description, cases[i][1]);
    }
    assert_null(new_description(""));
    assert_null(new_description("\xC3\xA4 _ !"));
}

static void numbers_go_on_in_their_width(void **state)
{
    (void)state;
    number_is(NULL, NEW_AUTO, "001");
    number_is("042_x", NEW_AUTO, "043");
    number_is("0009_x", NEW_AUTO, "0010");
    number_is("999_x", NEW_AUTO, "1000");
    number_is("9_x", NEW_AUTO, "10");
    number_is("025a_x", NEW_AUTO, "026");
    number_is("9999999999999999999999999_x", NEW_AUTO, "10000000000000000000000000");
    number_is("V1.2__x", NEW_AUTO, "1.3");
    number_is("V1_09__x", NEW_AUTO, "1_10");
}

static void timestamps_go_on_as_timestamps(void **state)
{
    (void)state;
    number_is("20260101000000_x", NEW_AUTO, "20261123120000");
    number_is("202601010000_x", NEW_AUTO, "202611231200");
    number_is("20260101_x", NEW_AUTO, "20261123");
    number_is("1700000000_x", NEW_AUTO, "1795435200");
    number_is("1700000000123_x", NEW_AUTO, "1795435200000");
    number_is("20260101000000123_x", NEW_AUTO, "20261123120000000");
}

static void a_clock_that_is_behind_does_not_break_the_order(void **state)
{
    (void)state;
    number_is("20261123120000_x", NEW_AUTO, "20261123120001");
    number_is("20270101000000_x", NEW_AUTO, "20270101000001");
    number_is("20261123_x", NEW_AUTO, "20261124");
}

static void the_setting_wins_over_the_folder(void **state)
{
    (void)state;
    number_is("042_x", NEW_TIMESTAMP, "20261123120000");
    number_is(NULL, NEW_TIMESTAMP, "20261123120000");
    number_is("20260101000000_x", NEW_SEQUENCE, "20260101000001");
}

/* ---- files ---- */

static int folder_begin(void **state)
{
    struct error error = {0};
    char *path = NULL;
    if (!file_make_temporary("pgmigrate-new", &path, &error))
        return -1;
    *state = path;
    return 0;
}

static int folder_end(void **state)
{
    struct error error = {0};
    bool removed = file_remove_tree(*state, &error);
    free(*state);
    return removed ? 0 : -1;
}

static void writes(const char *directory, const char *last, enum layout layout, const char *expected)
{
    AUTO(folder_free) struct folder *folder = folder_of(last, layout);
    AUTO(new_result_clear) struct new_result result = {0};
    AUTO(error_clear) struct error error = {0};
    const struct new_request request = {.folder = folder,
                                        .directory = directory,
                                        .description = "Add b",
                                        .now = NOON,
                                        .layout = last ? LAYOUT_AUTO : layout};
    if (!new_write(&request, &result, &error))
        fail_msg("%s", error.message);
    struct text_list names = {0};
    for (size_t i = 0; i < result.files.count; i++) {
        assert_true(file_exists(result.files.items[i]));
        text_list_add(&names, text_copy(file_name(result.files.items[i])));
    }
    OWNED char *list = text_list_join(&names, " ");
    text_list_clear(&names);
    assert_string_equal(list, expected);
}

static void files_follow_the_layout(void **state)
{
    writes(*state, "001_a", LAYOUT_NATIVE, "002_add_b.sql 002_add_b_rollback.sql");
    writes(*state, "001_a", LAYOUT_UPDOWN, "002_add_b.up.sql 002_add_b.down.sql");
    writes(*state, "003_a", LAYOUT_SECTIONS, "004_add_b.sql");
    writes(*state, "V1.2__a", LAYOUT_FLYWAY, "V1.3__add_b.sql U1.3__add_b.sql");
    writes(*state, NULL, LAYOUT_FLYWAY, "V1__add_b.sql U1__add_b.sql");
}

static void what_is_written_can_be_read(void **state)
{
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(error_clear) struct error error = {0};
    struct folder_options options = {.rollback_required = ROLLBACK_YES};
    OWNED char *inner = file_join(*state, "sections");
    writes(*state, "001_a", LAYOUT_NATIVE, "002_add_b.sql 002_add_b_rollback.sql");
    text_list_add(&options.directories, text_copy(*state));
    if (!folder_read(&options, &folder, &error))
        fail_msg("%s", error.message);
    assert_int_equal(folder->count, 1);
    assert_true(migration_has_rollback(folder->items[0]));
    assert_int_equal(folder->findings.count, 0);
    folder_free(take(folder));
    options.rollback_required = ROLLBACK_NO;
    writes(inner, "003_a", LAYOUT_SECTIONS, "004_add_b.sql");
    text_list_add(&options.directories, take(inner));
    if (!folder_read(&options, &folder, &error))
        fail_msg("%s", error.message);
    assert_int_equal(folder->count, 2);
    assert_int_equal(folder->items[1]->layout, LAYOUT_SECTIONS);
    text_list_clear(&options.directories);
}

static bool try_write(const char *directory, const char *last, const char *description, struct error *error)
{
    AUTO(folder_free) struct folder *folder = folder_of(last, LAYOUT_NATIVE);
    AUTO(new_result_clear) struct new_result result = {0};
    const struct new_request request = {
        .folder = folder, .directory = directory, .description = description, .now = NOON};
    return new_write(&request, &result, error);
}

static void nothing_is_overwritten_and_nothing_left_half(void **state)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *forward = file_join(*state, "002_b.sql");
    OWNED char *rollback = file_join(*state, "002_b_rollback.sql");
    assert_true(file_write_new(rollback, "mine", 4, 0600, &error));
    assert_false(try_write(*state, "001_a", "b", &error));
    assert_non_null(strstr(error.message, "002_b_rollback.sql"));
    assert_false(file_exists(forward));
    OWNED char *text = NULL;
    size_t size = 0;
    assert_true(file_read(rollback, &text, &size, &error));
    assert_string_equal(text, "mine");
}

static void descriptions_that_would_be_misread_are_refused(void **state)
{
    AUTO(error_clear) struct error error = {0};
    assert_false(try_write(*state, "001_a", "fix rollback", &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_non_null(strstr(error.message, "ends like a rollback"));
    assert_false(try_write(*state, "001_a", "fix verify", &error));
    assert_false(try_write(*state, "001_a", "!", &error));
    OWNED char *longest = memory_allocate(300, 1);
    memset(longest, 'x', 299);
    assert_false(try_write(*state, "001_a", longest, &error));
    assert_string_equal(error.message, "the description is too long for a file name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions_become_lower_case_words),
        cmocka_unit_test(numbers_go_on_in_their_width),
        cmocka_unit_test(timestamps_go_on_as_timestamps),
        cmocka_unit_test(a_clock_that_is_behind_does_not_break_the_order),
        cmocka_unit_test(the_setting_wins_over_the_folder),
        cmocka_unit_test_setup_teardown(files_follow_the_layout, folder_begin, folder_end),
        cmocka_unit_test_setup_teardown(what_is_written_can_be_read, folder_begin, folder_end),
        cmocka_unit_test_setup_teardown(nothing_is_overwritten_and_nothing_left_half, folder_begin,
                                        folder_end),
        cmocka_unit_test_setup_teardown(descriptions_that_would_be_misread_are_refused, folder_begin,
                                        folder_end),
    };
    return cmocka_run_group_tests_name("new", tests, NULL, NULL);
}
