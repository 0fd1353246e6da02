/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/layout.h"
#include "migrator/rule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void name_is(const char *name, enum layout layout, enum file_role role, const char *stem)
{
    OWNED char *found = NULL;
    enum layout kind = LAYOUT_AUTO;
    enum file_role is = migration_file_role(name, layout, &found, &kind);
    if (is != role || !text_equal(found, stem))
        fail_msg("\"%s\" is role %d of \"%s\"", name, (int)is, found ? found : "(none)");
}

static void stray_because(const char *name, enum layout layout, const char *part)
{
    OWNED char *reason = layout_stray_reason(name, layout);
    name_is(name, layout, ROLE_STRAY, NULL);
    if (!reason || !strstr(reason, part))
        fail_msg("\"%s\" is a stray because %s", name, reason ? reason : "(nothing)");
}

static void layouts_have_names(void **state)
{
    (void)state;
    enum layout layout = LAYOUT_AUTO;
    assert_true(layout_from_name("sections", &layout));
    assert_int_equal(layout, LAYOUT_SECTIONS);
    assert_string_equal(layout_name(LAYOUT_FLYWAY), "flyway");
    assert_false(layout_from_name("rails", &layout));
    assert_false(layout_from_name(NULL, &layout));
}

static void native_names_are_read(void **state)
{
    (void)state;
    name_is("042_add_orders.sql", LAYOUT_AUTO, ROLE_FORWARD, "042_add_orders");
    name_is("042a_add.sql", LAYOUT_NATIVE, ROLE_FORWARD, "042a_add");
    name_is("042_add_rollback.sql", LAYOUT_AUTO, ROLE_ROLLBACK, "042_add");
    name_is("042_add_verify.sql", LAYOUT_AUTO, ROLE_VERIFY, "042_add");
    name_is("20261123120000_x.sql", LAYOUT_AUTO, ROLE_FORWARD, "20261123120000_x");
    name_is("1_\xC3\xA4 b.sql", LAYOUT_AUTO, ROLE_FORWARD, "1_\xC3\xA4 b");
}

static void rollback_alone_is_a_description(void **state)
{
    (void)state;
    name_is("042_rollback.sql", LAYOUT_AUTO, ROLE_FORWARD, "042_rollback");
    name_is("042_rollback_rollback.sql", LAYOUT_AUTO, ROLE_ROLLBACK, "042_rollback");
}

static void updown_names_are_read(void **state)
{
    (void)state;
    name_is("1_x.up.sql", LAYOUT_AUTO, ROLE_FORWARD, "1_x");
    name_is("1_x.down.sql", LAYOUT_UPDOWN, ROLE_ROLLBACK, "1_x");
    name_is("1_x_verify.sql", LAYOUT_UPDOWN, ROLE_VERIFY, "1_x");
    name_is("1_x_rollback.up.sql", LAYOUT_UPDOWN, ROLE_FORWARD, "1_x_rollback");
    name_is("1_x.up.sql", LAYOUT_NATIVE, ROLE_FORWARD, "1_x.up");
}

static void flyway_names_are_read(void **state)
{
    (void)state;
    name_is("V1__x.sql", LAYOUT_AUTO, ROLE_FORWARD, "V1__x");
    name_is("U1__x.sql", LAYOUT_FLYWAY, ROLE_ROLLBACK, "V1__x");
    name_is("V1_2__x.sql", LAYOUT_AUTO, ROLE_FORWARD, "V1_2__x");
    name_is("V2026.11.23.1__add orders.sql", LAYOUT_AUTO, ROLE_FORWARD, "V2026.11.23.1__add orders");
    name_is("V1__x_rollback.sql", LAYOUT_AUTO, ROLE_FORWARD, "V1__x_rollback");
}

static void every_numbered_file_has_sections_where_the_layout_says_so(void **state)
{
    (void)state;
    name_is("042_add.sql", LAYOUT_SECTIONS, ROLE_SECTIONS, "042_add");
    name_is("042_add_rollback.sql", LAYOUT_SECTIONS, ROLE_SECTIONS, "042_add_rollback");
}

static void strays_say_what_is_missing(void **state)
{
    (void)state;
    stray_because("042.sql", LAYOUT_AUTO, "a description must follow the number, as in 042_add_orders.sql");
    stray_because("042_.sql", LAYOUT_AUTO, "a description must follow");
    stray_because("042.up.sql", LAYOUT_AUTO, "a description must follow");
    stray_because("042-add.sql", LAYOUT_AUTO, "an underscore must follow");
    stray_because("notes.sql", LAYOUT_AUTO, "does not begin with a number");
    stray_because(".sql", LAYOUT_AUTO, "does not begin with a number");
    stray_because("042_add.SQL", LAYOUT_AUTO, "in lower case");
    stray_because("R__views.sql", LAYOUT_AUTO, "repeatable migrations are not supported");
    stray_because("B1__base.sql", LAYOUT_AUTO, "baseline migrations are not supported");
    stray_because("V1_x.sql", LAYOUT_AUTO, "two underscores");
    stray_because("V1.__x.sql", LAYOUT_AUTO, "two underscores");
    stray_because("V1__.sql", LAYOUT_AUTO, "two underscores");
    stray_because("042_add.sql", LAYOUT_UPDOWN, "NNN_description.up.sql");
    stray_because("042_add.sql", LAYOUT_FLYWAY, "V1__description.sql");
    stray_because("V1__x.sql", LAYOUT_NATIVE, "NNN_description.sql");
}

static void files_of_other_kinds_are_not_mentioned(void **state)
{
    (void)state;
    assert_null(layout_stray_reason("README.md", LAYOUT_AUTO));
    assert_null(layout_stray_reason("042_add.sql~", LAYOUT_AUTO));
    assert_null(layout_stray_reason("", LAYOUT_AUTO));
}

/* ---- sections ---- */

static char script_path[] = "001_x.sql";

static bool read_sections(const char *text, enum layout layout, struct sections *ret, struct error *error)
{
    OWNED char *copy = text_copy(text);
    const char *rule = NULL;
    struct source whole = {.path = script_path, .first_line = 1, .text = copy, .size = strlen(copy)};
    bool read = sections_read(&whole, layout, ret, &rule, error);
    assert_true(read || rule_named(rule));
    return read;
}

static void sections_fail(const char *text, const char *message, size_t line)
{
    struct sections sections;
    AUTO(error_clear) struct error error = {0};
    if (read_sections(text, LAYOUT_AUTO, &sections, &error))
        fail_msg("no error for: %s", text);
    assert_string_equal(error.message, message);
    assert_int_equal(error.line, line);
    assert_string_equal(error.file, script_path);
}

static void reads_whole(const char *text, enum layout layout)
{
    struct sections sections;
    AUTO(error_clear) struct error error = {0};
    if (!read_sections(text, layout, &sections, &error))
        fail_msg("\"%s\" for: %s", error.message, text);
    assert_false(sections.up);
    assert_int_equal(sections.down, strlen(text));
}

static void two_sections_are_found(void **state)
{
    (void)state;
    struct sections sections;
    struct error error = {0};
    const char *text = "-- Orders.\n-- migrate:up\nCREATE TABLE a ();\n\n-- migrate:down\nDROP TABLE a;\n";
    assert_true(read_sections(text, LAYOUT_AUTO, &sections, &error));
    assert_true(sections.up && sections.rollback);
    assert_string_equal(text + sections.down, "-- migrate:down\nDROP TABLE a;\n");
    assert_int_equal(sections.first_line, 5);
}

static void an_empty_down_section_is_no_rollback(void **state)
{
    (void)state;
    struct sections sections;
    struct error error = {0};
    assert_true(read_sections("--migrate:up\nSELECT 1;\n-- migrate:down\n\n-- nothing\n", LAYOUT_AUTO,
                              &sections, &error));
    assert_true(sections.up);
    assert_false(sections.rollback);
}

static void markers_inside_strings_do_not_count(void **state)
{
    (void)state;
    struct sections sections;
    struct error error = {0};
    assert_true(read_sections(
        "SELECT '-- migrate:up';\nSELECT $$\n-- migrate:down\n$$; -- migrate:up\n/*\n-- +goose Down */\n",
        LAYOUT_AUTO, &sections, &error));
    assert_false(sections.up);
}

static void a_file_without_markers_is_whole(void **state)
{
    (void)state;
    struct sections sections;
    AUTO(error_clear) struct error error = {0};
    assert_true(read_sections("-- pgmigrate: no-transaction\nSELECT 1;", LAYOUT_AUTO, &sections, &error));
    assert_false(sections.up);
    assert_int_equal(sections.down, 38);
    assert_false(read_sections("SELECT 1;", LAYOUT_SECTIONS, &sections, &error));
    assert_string_equal(error.message, "\"-- migrate:up\" is missing");
}

static void the_native_layout_knows_no_sections(void **state)
{
    (void)state;
    static const char *const comments[] = {
        "-- migrate:up\nSELECT 1;\n-- migrate:down\n", "-- +goose Up\nSELECT 1;\n",
        "SELECT 1;\n-- Down migration: see the wiki\nSELECT 2;\n", "-- migrate:down\nDROP TABLE a;\n",
        "-- Up migration of the shop\n-- migrate:up\nSELECT 1;\n"};
    static const char *const divided[] = {"-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n",
                                          "-- migrate:up\n-- migrate:down\nSELECT 2;\n",
                                          "-- Migrate:up\nSELECT 1;\n  -- migrate: down\nSELECT 2;\n"};
    struct sections sections;
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        AUTO(error_clear) struct error error = {0};
        assert_true(read_sections(comments[i], LAYOUT_NATIVE, &sections, &error));
        assert_false(sections.up);
    }
    for (size_t i = 0; i < sizeof divided / sizeof *divided; i++) {
        AUTO(error_clear) struct error error = {0};
        assert_false(read_sections(divided[i], LAYOUT_NATIVE, &sections, &error));
        assert_string_equal(error.message,
                            "layout \"native\" does not divide a file into sections: both would run");
    }
    AUTO(error_clear) struct error error = {0};
    assert_false(read_sections("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n", LAYOUT_NATIVE,
                               &sections, &error));
    assert_non_null(strstr(error.message, "sections of goose"));
}

static void markers_out_of_place_are_errors(void **state)
{
    (void)state;
    sections_fail("SELECT 1;\n-- migrate:up\n", "statements stand before \"-- migrate:up\"", 2);
    sections_fail("-- migrate:up\n-- migrate:up\n", "a second \"-- migrate:up\"", 2);
    sections_fail("-- migrate:up\n-- migrate:down\nSELECT 1;\n-- migrate:down\n",
                  "a second \"-- migrate:down\"", 4);
    sections_fail("-- migrate:down\n-- migrate:up\n",
                  "\"-- migrate:down\" without \"-- migrate:up\" before it", 1);
}

static void sections_of_other_tools_are_refused(void **state)
{
    (void)state;
    sections_fail("-- +goose Up\nSELECT 1;\n-- +goose Down\n",
                  "the file has sections of goose, which are not read: both would run", 1);
    sections_fail("-- +migrate Down\n",
                  "the file has sections of sql-migrate, which are not read: both would run", 1);
    sections_fail("select 1;\n---- create above / drop below ----\nselect 2;\n",
                  "the file has sections of tern, which are not read: both would run", 2);
    sections_fail("SELECT 1;\n  --  +goose\tdown\nSELECT 2;\n",
                  "the file has sections of goose, which are not read: both would run", 2);
    sections_fail(
        "-- //@UNDO\n",
        "the file has sections of MyBatis Migrations or dbdeploy, which are not read: both would run", 1);
}

static void marks_that_may_be_words_count_where_they_divide(void **state)
{
    (void)state;
    const char *message = "the file has sections of node-pg-migrate, which are not read: both would run";
    sections_fail("-- Up Migration\nSELECT 1;\n\n-- Down Migration\nSELECT 2;\n", message, 4);
    sections_fail("  ---- UP  migration\n-- down migration: none\nSELECT 2;\n", message, 2);
    sections_fail("-- Down Migration\nSELECT 2;\n-- Up Migration\nSELECT 1;\n", message, 3);
    reads_whole("-- Up migration of the orders\nSELECT 1;\n", LAYOUT_AUTO);
    reads_whole("-- Down migration\nSELECT 1;\n", LAYOUT_AUTO);
    reads_whole("SELECT 1;\n-- Down migration: see the other file\n", LAYOUT_AUTO);
    struct sections sections;
    AUTO(error_clear) struct error error = {0};
    assert_true(
        read_sections("-- migrate:up\n-- Up migration\nSELECT 1;\n-- migrate:down\n-- Down migration\n"
                      "SELECT 2;\n",
                      LAYOUT_AUTO, &sections, &error));
    assert_true(sections.up && sections.rollback);
}

static void misspelt_marks_are_errors(void **state)
{
    (void)state;
    const char *const marks[] = {
        "  -- migrate:up",    "-- Migrate:Up",       "-- migrate: up",   "-- migrate :DOWN",
        "-- migrate:up:",     "-- migrate:up:slave", "-- migrate:down.", "-- migrate: up transaction:false",
        "\t--migrate:down x",
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        OWNED char *text = text_format("-- A\n%s\nSELECT 1;\n", marks[i]);
        sections_fail(
            text, "this looks like the mark of a section but is not read as one: both sections would run", 2);
    }
}

static void remarks_are_no_marks(void **state)
{
    (void)state;
    const char *const remarks[] = {
        "-- migrate up the rows",
        "-- migrate: up to a million rows",
        "-- migrate:upper",
        "-- migrate:up/down are dbmate's",
        "-- immigrate:up",
        "-- +goose upward",
        "-- updown migration",
        "-- scramble up migration",
        "-- migrates: down",
        "-- migrate",
        "-- migrate:",
        "--",
    };
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++) {
        OWNED char *text = text_format("SELECT 1;\n%s\nSELECT 2;\n", remarks[i]);
        reads_whole(text, LAYOUT_AUTO);
    }
}

static void a_file_named_as_one_half_is_not_divided(void **state)
{
    (void)state;
    const enum layout layouts[] = {LAYOUT_UPDOWN, LAYOUT_FLYWAY};
    for (size_t i = 0; i < 2; i++) {
        struct sections sections;
        AUTO(error_clear) struct error error = {0};
        assert_false(read_sections("-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n", layouts[i],
                                   &sections, &error));
        assert_string_equal(error.message,
                            "a file of this name is not divided into sections: both would run");
        assert_int_equal(error.line, 3);
        reads_whole("-- migrate:down\nSELECT 1;\n", layouts[i]);
        reads_whole("-- Migrate:Up\nSELECT 1;\n-- migrate:down\n", layouts[i]);
    }
}

static void every_rule_has_a_name_of_its_own_and_a_meaning(void **state)
{
    (void)state;
    for (const struct rule *rule = rules; rule->name; rule++) {
        assert_ptr_equal(rule_named(rule->name), rule);
        assert_true(strlen(rule->meaning) > 0);
        assert_int_equal(strspn(rule->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(rule->name));
    }
    assert_null(rule_named("no-such-rule"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_have_names),
        cmocka_unit_test(native_names_are_read),
        cmocka_unit_test(rollback_alone_is_a_description),
        cmocka_unit_test(updown_names_are_read),
        cmocka_unit_test(flyway_names_are_read),
        cmocka_unit_test(every_numbered_file_has_sections_where_the_layout_says_so),
        cmocka_unit_test(strays_say_what_is_missing),
        cmocka_unit_test(files_of_other_kinds_are_not_mentioned),
        cmocka_unit_test(two_sections_are_found),
        cmocka_unit_test(an_empty_down_section_is_no_rollback),
        cmocka_unit_test(markers_inside_strings_do_not_count),
        cmocka_unit_test(a_file_without_markers_is_whole),
        cmocka_unit_test(the_native_layout_knows_no_sections),
        cmocka_unit_test(markers_out_of_place_are_errors),
        cmocka_unit_test(sections_of_other_tools_are_refused),
        cmocka_unit_test(marks_that_may_be_words_count_where_they_divide),
        cmocka_unit_test(misspelt_marks_are_errors),
        cmocka_unit_test(remarks_are_no_marks),
        cmocka_unit_test(a_file_named_as_one_half_is_not_divided),
        cmocka_unit_test(every_rule_has_a_name_of_its_own_and_a_meaning),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
