/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/parse.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* text, then part count times, then end. */
static char *repeat(const char *text, const char *part, size_t count, const char *end)
{
    char *all = NULL;
    size_t size;
    FILE *stream = open_memstream(&all, &size);

    fputs(text, stream);
    for (size_t i = 0; i < count; i++)
        fputs(part, stream);
    fputs(end, stream);
    fclose(stream);
    return all;
}

/* ---- indexes ---- */

/* "schema.index on table", a minus for what is not there; "!" in front for IF NOT EXISTS. */
static void expect_index(const char *statement, const char *expected)
{
    AUTO(index_build_clear) struct index_build build = {0};

    if (!parse_index_build(statement, &build)) {
        assert_null(expected);
        return;
    }
    OWNED char *text =
        text_format("%s%s.%s on %s", build.if_not_exists ? "!" : "", build.schema ? build.schema : "-",
                    build.index ? build.index : "-", build.table ? build.table : "-");
    assert_non_null(expected);
    assert_string_equal(text, expected);
}

static void create_index_names_index_and_table(void **state)
{
    (void)state;
    expect_index("create index concurrently i on t (a)", "-.i on t");
    expect_index(
        "CREATE UNIQUE INDEX /* c( */ CONCURRENTLY IF NOT EXISTS \"I\"\"(x\" ON ONLY S.\"T\" USING gin (a)",
        "!s.I\"(x on T");
    expect_index("create index concurrently on db.s.t (a)", "s.- on t");
    expect_index("create index concurrently U&\"\\00e4\" on t (a)", "-.ä on t");
}

static void reindex_index_names_the_index(void **state)
{
    (void)state;
    expect_index("reindex index concurrently s.i", "s.i on -");
    expect_index("reindex (verbose, concurrently) index I", "-.i on -");
}

static void reindex_table_names_the_table(void **state)
{
    (void)state;
    expect_index("reindex table concurrently t", "-.- on t");
    expect_index("reindex (concurrently) table s.t", "s.- on t");
}

static void other_statements_name_no_index(void **state)
{
    (void)state;
    expect_index("reindex (concurrently) schema s", NULL);
    expect_index("drop index concurrently i", NULL);
    expect_index("create table t (a int)", NULL);
    expect_index("", NULL);
}

static void what_is_no_sql_names_no_index(void **state)
{
    (void)state;
    expect_index("create index concurrently", NULL);
    expect_index("create index concurrently i of", NULL);
    expect_index("create index concurrently i on 'x'", NULL);
    expect_index("create index \"i", NULL);
}

static void columns_newer_than_the_grammar_do_not_matter(void **state)
{
    (void)state;
    expect_index("create index concurrently i on t ((json_value(a, '$' returning int))) where b > 0xFF",
                 "-.i on t");
}

static void columns_deeper_than_the_stack_do_not_matter(void **state)
{
    OWNED char *flat = repeat("create index concurrently i on t ((1", "+1", 100000, "))");
    OWNED char *deep = repeat("create index concurrently i on t (", "(1+", 100000, "");

    (void)state;
    expect_index(flat, "-.i on t");
    expect_index(deep, "-.i on t");
}

static void long_names_are_cut_as_the_server_cuts_them(void **state)
{
    OWNED char *statement = repeat("create index concurrently ", "a", 62, "ü on t (a)");
    OWNED char *expected = repeat("-.", "a", 62, " on t");

    (void)state;
    expect_index(statement, expected);
}

/* ---- tokens ---- */

#define same(a, b)  assert_true(parse_same_tokens(a, b))
#define other(a, b) assert_false(parse_same_tokens(a, b))

static void statements_with_other_blanks_and_comments_are_the_same(void **state)
{
    (void)state;
    same("", " -- nothing");
    same("select 1", "select -- one\n\t1 /* x /* y */ */");
    same("a<b", "a < b");
    same("'a'\n'b'", "'a'\n'b' ");
    same("a--x\rb", "a b");
    same("$a$ x $a$", "/*+ hint */ $a$ x $a$");
}

static void statements_with_other_tokens_are_not(void **state)
{
    (void)state;
    other("select 1", "select 1, 2");
    other("select 1, 2", "select 1");
    other("select 'a b'", "select 'a  b'");
    other("select a", "SELECT a");
    other("select \"A\"", "select \"a\"");
    other("select \"a\"", "select a");
    other("select 'a'", "select 'A'");
    other("select 'a'", "select $$a$$");
    other("'a'\n'b'", "'a' 'b'");
    other("a < = b", "a <= b");
    other("a b", "ab");
    other("$$ x $$", "$$ X $$");
    other("E'\\''", "E'\\\"'");
}

static void quotes_with_unicode_escapes_are_compared_to_their_end(void **state)
{
    (void)state;
    other("select U&'abc'", "select U&'abd'");
    other("select U&\"abc\"", "select U&\"abd\"");
    same("select U&'abc' , 1", "select U&'abc', 1");
}

static void statements_that_are_not_understood_are_compared_by_byte(void **state)
{
    OWNED char *long_a = repeat("select ", "1 + ", 400000, "1");
    OWNED char *long_b = repeat("select  ", "1 + ", 400000, "1");

    (void)state;
    same("select 0xFF", "select 0xFF");
    other("select 0xFF", "select  0xFF");
    same("select 'a", "select 'a");
    other("select 'a", "select  'a");
    other("select 1", "select 'a");
    same(long_a, long_a);
    other(long_a, long_b);
}

/* ---- what is not closed ---- */

static void expect_open(const char *text, const char *expected)
{
    size_t offset = 0;

    if (!parse_find_open(text, &offset)) {
        assert_null(expected);
        return;
    }
    assert_non_null(expected);
    assert_string_equal(text + offset, expected);
}

static void what_is_never_closed_is_found(void **state)
{
    (void)state;
    expect_open("select 'é', 'b ( \"", "'b ( \"");
    expect_open("select 'é', E'b\\'", "E'b\\'");
    expect_open("select \"é\", \"b '", "\"b '");
    expect_open("do $é$ $$ $é$, $a$ $$", "$a$ $$");
    expect_open("a /* é */ /* /* */ b", "/* /* */ b");
    expect_open("f ('(', (1, (2)", "('(', (1, (2)");
    expect_open("f () begin atomic select (1)", "begin atomic select (1)");
}

static void nothing_is_found_where_all_is_closed(void **state)
{
    (void)state;
    expect_open("select ('a') -- (", NULL);
    expect_open("select ))", NULL);
    expect_open("select 0xFF, 'b", NULL);
}

static void no_file_stays_open(void **state)
{
    AUTO(index_build_clear) struct index_build build = {0};
    int before = dup(STDERR_FILENO), after;

    (void)state;
    close(before);
    for (int i = 0; i < 2000; i++)
        (void)parse_same_tokens("a", i % 2 ? "'" : "a");
    assert_true(parse_index_build("create index i on t (a)", &build));
    after = dup(STDERR_FILENO);
    close(after);
    assert_int_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_index_names_index_and_table),
        cmocka_unit_test(reindex_index_names_the_index),
        cmocka_unit_test(reindex_table_names_the_table),
        cmocka_unit_test(other_statements_name_no_index),
        cmocka_unit_test(what_is_no_sql_names_no_index),
        cmocka_unit_test(columns_newer_than_the_grammar_do_not_matter),
        cmocka_unit_test(columns_deeper_than_the_stack_do_not_matter),
        cmocka_unit_test(long_names_are_cut_as_the_server_cuts_them),
        cmocka_unit_test(statements_with_other_blanks_and_comments_are_the_same),
        cmocka_unit_test(statements_with_other_tokens_are_not),
        cmocka_unit_test(quotes_with_unicode_escapes_are_compared_to_their_end),
        cmocka_unit_test(statements_that_are_not_understood_are_compared_by_byte),
        cmocka_unit_test(what_is_never_closed_is_found),
        cmocka_unit_test(nothing_is_found_where_all_is_closed),
        cmocka_unit_test(no_file_stays_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
