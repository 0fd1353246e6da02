/* SPDX-License-Identifier: PostgreSQL */
#include "deploy/schema_text.h"
#include "deploy/settings.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#define HEADING(name, type) "--\n-- Name: " name "; Type: " type "; Schema: public; Owner: app\n--\n\n"
#define TABLE(columns)      HEADING("t", "TABLE") "CREATE TABLE public.t (\n" columns "\n);\n\n"

/* "kind name: what" in lines; a mild one in brackets. The caller frees it. */
static char *differences(const char *expected, const char *found)
{
    AUTO(schema_text_clear) struct schema_text left = {0}, right = {0};
    AUTO(rehearsed_clear) struct rehearsed rehearsed = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    schema_text_parse(expected, &left);
    schema_text_parse(found, &right);
    schema_text_compare(&left, &right, &rehearsed);
    for (size_t i = 0; i < rehearsed.difference_count; i++) {
        const struct difference *difference = &rehearsed.differences[i];
        fprintf(stream, difference->mild ? "(%s %s: %s)\n" : "%s %s: %s\n", difference->kind,
                difference->object, difference->what);
    }
    fclose(stream);
    return text;
}

static void assert_differences(const char *expected, const char *found, const char *wanted)
{
    OWNED char *text = differences(expected, found);

    assert_string_equal(text, wanted);
}

static void what_pg_dump_writes_between_objects_makes_no_difference(void **state)
{
    (void)state;
    assert_differences(
        "\\restrict abc\n" TABLE("    a integer,\n    b text") "SET default_tablespace = '';\n",
        "\\restrict xyz\nSET default_table_access_method = heap;\n" TABLE("    a integer,\n    b text"), "");
}

static void an_object_that_is_missing_or_new_is_named(void **state)
{
    (void)state;
    assert_differences(TABLE("    a integer") HEADING("v", "VIEW") "CREATE VIEW public.v AS\n",
                       TABLE("    a integer") HEADING("s", "SEQUENCE") "CREATE SEQUENCE public.s\n",
                       "sequence public.s: was not there before\nview public.v: is missing\n");
}

static void the_order_of_columns_is_a_mild_difference_the_comma_none(void **state)
{
    (void)state;
    assert_differences(TABLE("    a integer,\n    b text"), TABLE("    b text,\n    a integer"),
                       "(table public.t: its columns are in another order)\n");
    assert_differences(TABLE("    a integer,\n    b text"), TABLE("    a integer"),
                       "table public.t: \"b text\" is missing\n");
}

static void lines_in_another_order_are_a_difference_but_for_privileges(void **state)
{
    (void)state;
    assert_differences(HEADING("f()", "FUNCTION") "SELECT 1;\nSELECT 2;\n",
                       HEADING("f()", "FUNCTION") "SELECT 2;\nSELECT 1;\n",
                       "function public.f(): its lines are in another order\n");
    assert_differences(HEADING("TABLE t", "ACL") "GRANT SELECT TO a;\nGRANT SELECT TO b;\n",
                       HEADING("TABLE t", "ACL") "GRANT SELECT TO b;\nGRANT SELECT TO a;\n", "");
}

static void of_an_object_that_is_all_different_a_few_lines_are_told(void **state)
{
    (void)state;
    assert_differences(HEADING("f()", "FUNCTION") "1\n2\n3\n4\n5\n6\n", HEADING("f()", "FUNCTION"),
                       "function public.f(): \"1\" is missing\nfunction public.f(): \"2\" is missing\n"
                       "function public.f(): \"3\" is missing\nfunction public.f(): \"4\" is missing\n"
                       "function public.f(): 2 more lines differ\n");
}

static void an_option_keeps_blanks_and_backslashes_of_its_value(void **state)
{
    (void)state;
    OWNED char *path = settings_option("search_path", "\"$user\", app");
    OWNED char *other = settings_option("app.x", "a\\b");

    assert_string_equal(path, "-c search_path=\"$user\",\\ app");
    assert_string_equal(other, "-c app.x=a\\\\b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_pg_dump_writes_between_objects_makes_no_difference),
        cmocka_unit_test(an_object_that_is_missing_or_new_is_named),
        cmocka_unit_test(the_order_of_columns_is_a_mild_difference_the_comma_none),
        cmocka_unit_test(lines_in_another_order_are_a_difference_but_for_privileges),
        cmocka_unit_test(of_an_object_that_is_all_different_a_few_lines_are_told),
        cmocka_unit_test(an_option_keeps_blanks_and_backslashes_of_its_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
