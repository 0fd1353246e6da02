/* SPDX-License-Identifier: PostgreSQL */
#include "cli/report.h"
#include "common/file.h"
#include "tests/unit/scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void write_file(const char *name, const char *text)
{
    AUTO(error_clear) struct error error = {0};

    assert_true(file_write_new(name, text, strlen(text), 0644, &error));
}

static void error_prints(const struct error *error, bool color, const char *expected)
{
    OWNED char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    report_error(out, color, error);
    fclose(out);
    assert_string_equal(text, expected);
}

static void an_error_shows_place_source_and_caret(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    write_file("001_x.sql", "select 1;\nselect x;\r\n");
    error_set(&error, ERROR_FAILED, "column \"x\" does not exist");
    error_at(&error, "001_x.sql", 2, 8);
    error_detail(&error, "One.\nTwo.");
    error_hint(&error, "Add it.");
    memcpy(error.sqlstate, "42703", 6);
    error_prints(&error, false,
                 "001_x.sql:2:8: error: column \"x\" does not exist (42703)\n"
                 "    select x;\n"
                 "           ^\n"
                 "detail: One.\n"
                 "    Two.\n"
                 "hint: Add it.\n");
}

static void the_caret_counts_characters_and_keeps_tabs(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    write_file("001_x.sql", "\xEF\xBB\xBF\t'\xC3\xA4\xC3\xB6' x");
    error_set(&error, ERROR_FAILED, "m");
    error_at(&error, "001_x.sql", 1, 7);
    error_prints(&error, false, "001_x.sql:1:7: error: m\n    \t'\xC3\xA4\xC3\xB6' x\n    \t     ^\n");
}

static void what_cannot_be_shown_is_left_out(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    error_set(&error, ERROR_FAILED, "m");
    error_prints(&error, false, "pgmigrate: error: m\n");
    error_at(&error, "gone.sql", 3, 1);
    error_prints(&error, false, "gone.sql:3:1: error: m\n");
    write_file("short.sql", "one line\n");
    error_at(&error, "short.sql", 3, 0);
    error_prints(&error, false, "short.sql:3: error: m\n");
    error_at(&error, ".", 1, 1);
    error_prints(&error, false, ".:1:1: error: m\n");
}

static void colors_are_used_only_when_wanted(void **state)
{
    (void)state;
    AUTO(error_clear) struct error error = {0};

    error_set(&error, ERROR_FAILED, "m");
    error_prints(&error, true, "\033[1mpgmigrate:\033[0m \033[31merror:\033[0m m\n");
}

static void findings_are_printed_like_errors(void **state)
{
    (void)state;
    AUTO(findings_clear) struct findings findings = {0};
    OWNED char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    write_file("001_x.sql", "select 1;\n");
    struct finding *finding = finding_add(&findings, "r", SEVERITY_ERROR, "001_x.sql", "bad");
    finding_at(finding, 1, 8);
    finding_hint(finding, "Mend it.");
    finding_add(&findings, "r", SEVERITY_WARNING, NULL, "everywhere");
    report_findings(out, false, &findings);
    fclose(out);
    assert_string_equal(text, "001_x.sql:1:8: error: bad [r]\n"
                              "    select 1;\n"
                              "           ^\n"
                              "hint: Mend it.\n"
                              "pgmigrate: warning: everywhere [r]\n");
}

static void path_is(const char *path, const char *expected)
{
    OWNED char *shown = report_path(path);

    assert_string_equal(shown, expected);
}

static void paths_are_relative_where_that_is_shorter(void **state)
{
    const char *folder = *state;
    OWNED char *inside = text_format("%s/migrations/001_x.sql", folder);
    OWNED char *beside = text_format("%s-other/x", folder);
    OWNED char *above = file_folder(folder);
    OWNED char *sibling = text_format("%s/x.sql", above);

    path_is(inside, "migrations/001_x.sql");
    path_is("already/relative", "already/relative");
    path_is("/", "/");
    path_is("/etc/passwd", "/etc/passwd");
    path_is(sibling, strlen("../x.sql") < strlen(sibling) ? "../x.sql" : sibling);
    OWNED char *shown = report_path(beside);
    assert_true(text_starts_with(shown, "../pgmigrate-test"));
    path_is(folder, folder);
}

static void times_are_short(void **state)
{
    (void)state;
    OWNED char *time = report_time("2026-11-23T03:21:09.123456Z");
    OWNED char *none = report_time(NULL);

    assert_string_equal(time, "2026-11-23 03:21:09");
    assert_string_equal(none, "");
}

static void tables_are_aligned_and_end_without_blanks(void **state)
{
    (void)state;
    AUTO(report_table_clear)
    struct report_table table = {.headings = {"name", "ms", "by"}, .right = {false, true, false}};
    OWNED char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    report_cell(&table, PAINT_NONE, text_copy("\xC3\xA4"));
    report_cell(&table, PAINT_NONE, text_copy("5"));
    report_cell(&table, PAINT_NONE, text_copy("ann"));
    report_cell(&table, PAINT_NONE, text_copy("longer"));
    report_cell(&table, PAINT_NONE, text_copy("1234"));
    report_cell(&table, PAINT_NONE, NULL);
    report_table_print(out, false, &table);
    fclose(out);
    assert_string_equal(text, "name      ms  by\n\xC3\xA4          5  ann\nlonger  1234\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_error_shows_place_source_and_caret, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(the_caret_counts_characters_and_keeps_tabs, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(what_cannot_be_shown_is_left_out, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(findings_are_printed_like_errors, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(paths_are_relative_where_that_is_shorter, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test(colors_are_used_only_when_wanted),
        cmocka_unit_test(times_are_short),
        cmocka_unit_test(tables_are_aligned_and_end_without_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
