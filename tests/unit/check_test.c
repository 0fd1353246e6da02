/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/check.h"
#include "migrator/rule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int folder_begin(void **state)
{
    AUTO(error_clear) struct error error = {0};
    char *path = NULL;
    if (!file_make_temporary("pgmigrate-check", &path, &error))
        return -1;
    *state = path;
    return 0;
}

static int folder_end(void **state)
{
    AUTO(error_clear) struct error error = {0};
    bool removed = file_remove_tree(*state, &error);
    free(*state);
    return removed ? 0 : -1;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    AUTO(error_clear) struct error error = {0};
    OWNED char *path = file_join(folder, name);
    if (!file_write_new(path, text, strlen(text), 0600, &error))
        fail_msg("%s", error.message);
}

/* "file:line rule" of every finding, in the order they are told. */
static char *check(const char *path)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(folder_free) struct folder *folder = NULL;
    AUTO(findings_clear) struct findings findings = {0};
    struct folder_options options = {.rollback_required = ROLLBACK_NO};
    char *told = NULL;
    size_t size = 0;
    text_list_add(&options.directories, text_copy(path));
    if (!folder_read(&options, &folder, &error))
        assert_int_equal(error.code, ERROR_USAGE);
    text_list_clear(&options.directories);
    check_folder(folder, &findings);
    check_sort(&findings);
    FILE *out = open_memstream(&told, &size);
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.items[i];
        const struct rule *rule = rule_named(finding->rule);
        if (!rule)
            fail_msg("rule %s is not in the table", finding->rule);
        assert_int_equal(finding->severity, rule->severity);
        fprintf(out, "%s%s:%zu %s", i > 0 ? ", " : "", file_name(finding->file), finding->line,
                finding->rule);
    }
    fclose(out);
    return told;
}

static void told(const char *path, const char *expected)
{
    OWNED char *findings = check(path);
    assert_string_equal(findings, expected);
}

static void a_good_folder_has_no_findings(void **state)
{
    write_file(*state, "001_a.sql", "CREATE TABLE a (b int);");
    write_file(*state, "001_a_rollback.sql", "DROP TABLE a;");
    told(*state, "");
}

static void every_statement_that_cannot_run_in_a_transaction_is_found(void **state)
{
    write_file(*state, "001_a.sql", "SELECT 1;\nVACUUM;\nSELECT 2;\nCREATE DATABASE d;\n");
    told(*state, "001_a.sql:2 needs-no-transaction, 001_a.sql:4 needs-no-transaction");
}

static void places_are_those_of_the_file_in_its_second_section(void **state)
{
    write_file(*state, "001_a.sql",
               "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n-- pgmigrate: role=x\nSELECT 'x");
    told(*state, "001_a.sql:5 directive-too-late, 001_a.sql:6 unterminated");
}

static void variables_are_looked_at_with_made_up_values(void **state)
{
    write_file(*state, "001_a.sql", "-- pgmigrate: variables\nSELECT :'x', :\"y\";\n");
    write_file(*state, "002_b.sql", "-- pgmigrate: variables\nSELECT :'x', :x;\n");
    write_file(*state, "003_c.sql", "SELECT 1;\nSELECT 'a' || :'x';\n");
    told(*state, "002_b.sql:2 psql-variable, 003_c.sql:2 psql-variable");
}

static void a_variable_in_a_later_section_is_found_at_its_line(void **state)
{
    write_file(*state, "001_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT :'x';\n");
    told(*state, "001_a.sql:4 psql-variable");
}

static void a_script_whose_directives_are_wrong_is_not_judged_by_them(void **state)
{
    write_file(*state, "001_a.sql", "-- pgmigrate: no-transactoin\nVACUUM;\n");
    told(*state, "001_a.sql:1 directive");
}

static void notices_of_the_script_keep_their_rules(void **state)
{
    write_file(*state, "001_a.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\n");
    write_file(*state, "002_b.sql", "ALTER TYPE t ADD VALUE 'x';\nINSERT INTO a VALUES ('x');\n");
    told(*state, "001_a.sql:1 own-transaction, 002_b.sql:2 enum-value-used");
}

static void an_empty_script_is_found(void **state)
{
    write_file(*state, "001_a.sql", "-- nothing yet\n");
    write_file(*state, "002_b.sql", "\\echo only a word\n");
    told(*state, "001_a.sql:0 empty-script");
}

static void requirements_are_looked_up(void **state)
{
    write_file(*state, "001_a.sql", "-- pgmigrate: requires=001\nSELECT 1;");
    write_file(*state, "002_b.sql", "-- pgmigrate: requires=001_a 1\nSELECT 1;");
    write_file(*state, "003_c.sql", "-- pgmigrate: requires=7\nSELECT 1;");
    told(*state, "001_a.sql:0 requires, 003_c.sql:0 requires");
}

static void a_large_script_is_read_again_for_the_check(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < SOURCE_KEEP / 4; i++)
        fputs("SELECT 1;\n", out);
    fputs("VACUUM;\n", out);
    fclose(out);
    write_file(*state, "001_a.sql", text);
    free(text);
    told(*state, "001_a.sql:16385 needs-no-transaction");
}

static void a_table_that_stands_unprotected_between_transactions_is_found(void **state)
{
    write_file(*state, "001_a.sql",
               "ALTER TABLE core.a DISABLE ROW LEVEL SECURITY;\nALTER TABLE b NO FORCE ROW LEVEL SECURITY;\n"
               "DROP POLICY IF EXISTS \"P\" ON ONLY_A;\nDROP POLICY;\n");
    write_file(*state, "002_b.sql",
               "ALTER TABLE IF EXISTS ONLY A ADD c int, ENABLE ROW LEVEL SECURITY;\n"
               "ALTER TABLE x.B FORCE ROW LEVEL SECURITY;\nCREATE POLICY \"P\" ON only_a USING (c);\n");
    told(*state, "001_a.sql:1 rls-window, 001_a.sql:2 rls-window, 001_a.sql:3 rls-window");
}

static void what_one_transaction_or_nothing_brings_back_is_no_window(void **state)
{
    write_file(*state, "001_a.sql",
               "DROP POLICY p ON a;\nCREATE POLICY p ON a USING (true);\n"
               "ALTER TABLE a DISABLE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY;\nDROP POLICY q ON a;\n"
               "ALTER TABLE gone DISABLE ROW LEVEL SECURITY;\n");
    write_file(*state, "003_c.sql", "DROP POLICY s ON a;\nBEGIN;\nCREATE POLICY s ON a;\nCOMMIT;\n");
    write_file(*state, "002_b.sql",
               "-- pgmigrate: no-transaction\nBEGIN;\nDROP POLICY r ON a;\nCREATE POLICY r ON a;\nCOMMIT;\n"
               "VACUUM;\nCREATE POLICY \"Q\" ON a;\n");
    told(*state, "003_c.sql:2 own-transaction");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_begin, folder_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_folder_has_no_findings),
        TEST(every_statement_that_cannot_run_in_a_transaction_is_found),
        TEST(places_are_those_of_the_file_in_its_second_section),
        TEST(a_table_that_stands_unprotected_between_transactions_is_found),
        TEST(what_one_transaction_or_nothing_brings_back_is_no_window),
        TEST(variables_are_looked_at_with_made_up_values),
        TEST(a_variable_in_a_later_section_is_found_at_its_line),
        TEST(a_script_whose_directives_are_wrong_is_not_judged_by_them),
        TEST(notices_of_the_script_keep_their_rules),
        TEST(an_empty_script_is_found),
        TEST(requirements_are_looked_up),
        TEST(a_large_script_is_read_again_for_the_check),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
