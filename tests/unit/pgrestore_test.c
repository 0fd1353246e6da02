/* SPDX-License-Identifier: PostgreSQL */
#include "backup/pgrestore.h"
#include "backup/restore.h"
#include "backup/restore_test.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool collect(void *context, const char *data, size_t size, struct error *error)
{
    (void)error;
    return fwrite(data, 1, size, context) == size;
}

/* A script as it comes out of the filter when it comes in pieces of that size. */
static char *filtered(const char *script, size_t piece)
{
    struct script_filter filter = {0};
    AUTO(error_clear) struct error error = {0};
    char *text = NULL;
    size_t size, length = strlen(script);
    FILE *out = open_memstream(&text, &size);

    for (size_t at = 0; at < length; at += piece)
        assert_true(script_filter_add(&filter, script + at, length - at < piece ? length - at : piece,
                                      collect, out, &error));
    assert_true(script_filter_end(&filter, collect, out, &error));
    fclose(out);
    free(filter.line);
    return text;
}

static void the_setting_is_taken_out_of_the_head_alone(void **state)
{
    static const char script[] =
        "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET lock_timeout = 0;\n"
        "SET transaction_timeout = 0;\nSET row_security = off;\n\n"
        "COPY public.t (a) FROM stdin;\nSET transaction_timeout = 0;\n\\.\n";
    static const char expected[] =
        "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET lock_timeout = 0;\n"
        "SET row_security = off;\n\n"
        "COPY public.t (a) FROM stdin;\nSET transaction_timeout = 0;\n\\.\n";

    (void)state;
    for (size_t piece = 1; piece <= sizeof script; piece++) {
        OWNED char *text = filtered(script, piece);

        assert_string_equal(text, expected);
    }
}

static void a_script_without_a_last_newline_is_whole(void **state)
{
    OWNED char *head = filtered("SET a = 1;\n-- end", 4), *body = filtered("SET a = 1;\nSELECT 1;\nx", 4);

    (void)state;
    assert_string_equal(head, "SET a = 1;\n-- end");
    assert_string_equal(body, "SET a = 1;\nSELECT 1;\nx");
}

static void what_no_program_can_read_says_what_to_install(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(pgrestore_clear) struct pgrestore restore = {0};

    (void)state;
    assert_false(pgrestore_choose(99, 15, &restore, &error));
    assert_int_equal(error.code, ERROR_FAILED);
    assert_non_null(strstr(error.message, "pg_dump 99"));
    assert_non_null(strstr(error.hint, "postgresql-client-99"));
}

static void the_name_of_a_new_database_fits(void **state)
{
    OWNED char *plain = restore_name("shop", "restore");
    OWNED char *cut = restore_name("ääääääääääääääääääääääääääääääx", "before_restore");
    size_t bad;

    (void)state;
    assert_int_equal(strncmp(plain, "shop_restore_20", 15), 0);
    assert_true(strlen(cut) <= 63);
    assert_true(text_is_utf8(cut, strlen(cut), &bad));
    assert_non_null(strstr(cut, "ä_before_restore_20"));
}

static void the_first_line_that_differs_is_told(void **state)
{
    OWNED char *differs = restore_test_difference("a\nb\nc\n", "a\nx\nc\n");
    OWNED char *longer = restore_test_difference("a\n", "a\nb\n");
    OWNED char *shorter = restore_test_difference("a\nb", "a\n");

    (void)state;
    assert_string_equal(differs, "line 2: \"x\" instead of \"b\"");
    assert_string_equal(longer, "line 2: \"b\" instead of \"\"");
    assert_string_equal(shorter, "line 2: \"\" instead of \"b\"");
    assert_null(restore_test_difference("a\nb\n", "a\nb\n"));
    assert_null(restore_test_difference("", ""));
}

static const char header[] = "--\n-- Name: c; Type: TABLE; Schema: public; Owner: -\n--\n\n";

/* Of two tables of these columns, with what follows them. */
static char *difference_of_tables(const char *expected, const char *found, const char *end)
{
    OWNED char *left = text_format("%sCREATE TABLE public.c (\n%s\n)%s;\n\n", header, expected, end);
    OWNED char *right = text_format("%sCREATE TABLE public.c (\n%s\n)%s;\n\n", header, found, end);

    return restore_test_difference(left, right);
}

static void a_table_that_inherits_may_have_its_columns_in_another_order(void **state)
{
    static const char inherits[] = "\nINHERITS (public.p)";
    OWNED char *plain = difference_of_tables("    b text,\n    a integer", "    a integer,\n    b text", "");
    OWNED char *type =
        difference_of_tables("    b text,\n    a integer", "    a bigint,\n    b text", inherits);
    OWNED char *less = difference_of_tables("    b text,\n    a integer", "    a integer", inherits);
    OWNED char *more = difference_of_tables("    a integer", "    a integer,\n    a integer", inherits);

    (void)state;
    assert_string_equal(plain, "line 6: \"    a integer,\" instead of \"    b text,\"");
    assert_string_equal(type, "line 6: \"    a bigint\" instead of \"    a integer\"");
    assert_non_null(less);
    assert_non_null(more);
    assert_null(difference_of_tables("    b text,\n    a integer", "    a integer,\n    b text", inherits));
    assert_null(difference_of_tables("    b text DEFAULT 'x,\ny'::text,\n    a integer NOT NULL",
                                     "    a integer NOT NULL,\n    b text DEFAULT 'x,\ny'::text", inherits));
}

#define ALTER_A  "ALTER TABLE ONLY public.c ALTER COLUMN a SET STATISTICS 10;\n"
#define ALTER_B  "ALTER TABLE ONLY public.c ALTER COLUMN b SET STATISTICS 20;\n"
#define ALTER_C  "ALTER FOREIGN TABLE ONLY public.c ALTER COLUMN c OPTIONS (\n    a 'b'\n);\n"
#define COMPLETE "--\n-- PostgreSQL database dump complete\n--\n\n"
#define ENTRY(name, type)                                                                                    \
    "--\n-- Name: " name "; Type: " type "; Schema: public; Owner: -\n--\n\n" name " " type ";\n\n\n"

static void what_follows_the_order_of_columns_may_do_so(void **state)
{
    static const char table[] = "CREATE TABLE public.c (\n    a integer\n)\nINHERITS (public.p)";
    OWNED char *expected = text_format("%s%s;\n" ALTER_C ALTER_B ALTER_A "\n", header, table);
    OWNED char *found = text_format("%s%s;\n" ALTER_A ALTER_B ALTER_C "\n", header, table);
    OWNED char *others = text_format("%s%s;\n" ALTER_A ALTER_A ALTER_C "\n", header, table);
    OWNED char *other = restore_test_difference(expected, others);
    OWNED char *tables = restore_test_difference(ENTRY("a", "TABLE") ENTRY("b", "TABLE"),
                                                 ENTRY("b", "TABLE") ENTRY("a", "TABLE"));
    OWNED char *missing = restore_test_difference(
        ENTRY("COLUMN c.a", "COMMENT") ENTRY("COLUMN c.b", "COMMENT"), ENTRY("COLUMN c.b", "COMMENT"));

    (void)state;
    assert_null(restore_test_difference(expected, found));
    assert_non_null(other);
    assert_non_null(tables);
    assert_non_null(missing);
    assert_null(restore_test_difference(
        ENTRY("COLUMN c.a", "COMMENT") ENTRY("COLUMN c.b", "COMMENT") "SET default_tablespace = '';\n\n",
        ENTRY("COLUMN c.b", "COMMENT") ENTRY("COLUMN c.a", "COMMENT") "SET default_tablespace = '';\n\n"));
    assert_null(restore_test_difference(ENTRY("c a", "DEFAULT") ENTRY("c b", "DEFAULT") COMPLETE,
                                        ENTRY("c b", "DEFAULT") ENTRY("c a", "DEFAULT") COMPLETE));
    assert_null(restore_test_difference("--\n-- Name: s; Type: STATISTICS; Schema: public; Owner: -\n--\n\n"
                                        "CREATE STATISTICS public.s (ndistinct) ON a, b FROM public.c;\n",
                                        "--\n-- Name: s; Type: STATISTICS; Schema: public; Owner: -\n--\n\n"
                                        "CREATE STATISTICS public.s (ndistinct) ON b, a FROM public.c;\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_setting_is_taken_out_of_the_head_alone),
        cmocka_unit_test(a_script_without_a_last_newline_is_whole),
        cmocka_unit_test(what_no_program_can_read_says_what_to_install),
        cmocka_unit_test(the_name_of_a_new_database_fits),
        cmocka_unit_test(the_first_line_that_differs_is_told),
        cmocka_unit_test(a_table_that_inherits_may_have_its_columns_in_another_order),
        cmocka_unit_test(what_follows_the_order_of_columns_may_do_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
