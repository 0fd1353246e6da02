/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/split.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct source of(char *text)
{
    static char path[] = "a.sql";

    return (struct source){.path = path, .first_line = 1, .text = text, .size = strlen(text)};
}

/* The pieces of a text, each in brackets, its COPY data in braces behind it. */
static char *pieces_of(const struct source *source)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(split_clear) struct split split = {0};
    char *all = NULL;
    size_t size;
    FILE *stream = open_memstream(&all, &size);

    if (!split_source(source, false, &split, &error))
        fprintf(stream, "%s:%zu:%zu: %s", error.file, error.line, error.column, error.message);
    for (size_t i = 0; i < split.count; i++) {
        const struct piece *piece = &split.pieces[i];

        fprintf(stream, "%s[%.*s]", piece->inside ? "!" : "", (int)piece->length,
                source->text + piece->offset);
        if (piece->copies_in)
            fprintf(stream, "{%.*s}", (int)piece->data_length, source->text + piece->data_offset);
    }
    fclose(stream);
    return all;
}

static void expect(const char *text, const char *expected)
{
    OWNED char *copy = text_copy(text);
    struct source source = of(copy);
    OWNED char *pieces = pieces_of(&source);

    assert_string_equal(pieces, expected);
}

static void semicolons_end_statements(void **state)
{
    (void)state;
    expect("", "");
    expect("\n -- nothing\n/* at all */ ;\n;", "");
    expect("select 1; select 2", "[select 1][select 2]");
    expect("-- c\nselect 1\n ;\nselect\n2;\n", "[select 1][select\n2]");
    expect("/* a */ select 1 /* b */; -- c\n", "[select 1 /* b */]");
    expect("select 1 -- it's\n + 2;", "[select 1 -- it's\n + 2]");
    expect("/*+ Hint */ select 1; /*+ lone */;", "[/*+ Hint */ select 1]");
}

static void semicolons_in_quotes_do_not(void **state)
{
    (void)state;
    expect("select ';', \"a;\", $$;$$, $x$;$$;$x$; b", "[select ';', \"a;\", $$;$$, $x$;$$;$x$][b]");
    expect("select E'\\';', 'a\\'; b", "[select E'\\';', 'a\\'][b]");
    expect("select U&'\\0041;', U&\"d;\"; b", "[select U&'\\0041;', U&\"d;\"][b]");
    expect("select 'a\n;\n-- b\n'; c", "[select 'a\n;\n-- b\n'][c]");
    expect("/* ; /* ; */ ' */ a; b", "[a][b]");
    expect("select 'it''s;' 'x'; b", "[select 'it''s;' 'x'][b]");
    expect("select 'é;'; select \"ü;\";", "[select 'é;'][select \"ü;\"]");
}

static void backslashes_escape_when_the_script_says_so(void **state)
{
    static const char off[] = "set standard_conforming_strings = off";
    static const char on[] = "SET SESSION standard_conforming_strings TO on";
    OWNED char *both = text_format("%s;\nselect 'a\\';b';\n%s;\nselect 'a\\';b;", off, on);
    OWNED char *expected = text_format("[%s][select 'a\\';b'][%s][select 'a\\'][b]", off, on);

    (void)state;
    expect(both, expected);
    expect("set standard_conforming_strings = off; select 'a\\';b;",
           "[set standard_conforming_strings = off][select 'a\\'][b]");
    expect("set standard_conforming_strings = off;\n'\\'', '", "a.sql:2:1: unterminated quoted string");
    expect("set local standard_conforming_strings = 'off';\nreset all;\nselect 'a\\';b;",
           "[set local standard_conforming_strings = 'off'][reset all][select 'a\\'][b]");
}

static void bodies_and_rules_stay_whole(void **state)
{
    static const char function[] = "create or replace function f() returns int language sql\nbegin atomic\n"
                                   "  select case when true then 1 end;\n  select 2;\nend";
    OWNED char *two = text_format("%s;\nselect 3;", function);
    OWNED char *expected = text_format("[%s][select 3]", function);

    (void)state;
    expect(two, expected);
    expect("create rule r as on insert to t do (a; b); c", "[create rule r as on insert to t do (a; b)][c]");
    expect("create procedure p() begin atomic insert into t values (1); end; c",
           "[create procedure p() begin atomic insert into t values (1); end][c]");
    expect("do $do$ begin perform $$;$$; end $do$; c", "[do $do$ begin perform $$;$$; end $do$][c]");
}

static void copy_takes_the_lines_that_follow(void **state)
{
    (void)state;
    expect("copy t from stdin;\n1\ta;'\n\\N\t\"\n\\.\nselect 1;",
           "[copy t from stdin]{1\ta;'\n\\N\t\"\n}[select 1]");
    expect("copy t from stdin;\n\\.\nselect 1;", "[copy t from stdin]{}[select 1]");
    expect("copy t from stdin;\r\n1\r\n\\.\r\nselect 1;\r\n", "[copy t from stdin]{1\r\n}[select 1]");
    expect("copy a from stdin; copy b from stdin; select 1;\n1\n\\.\n2\n\\.\nselect 2;",
           "[copy a from stdin]{1\n}[copy b from stdin]{2\n}[select 1][select 2]");
    expect("copy t from stdin; -- and\n-- data\n\\.\nselect 1;", "[copy t from stdin]{-- data\n}[select 1]");
    expect("copy t from stdin;\n\\.x\n \\.\n\\.", "[copy t from stdin]{\\.x\n \\.\n}");
    expect("copy t from 'x';\n1;", "[copy t from 'x'][1]");
}

static void copy_data_may_end_with_the_file(void **state)
{
    (void)state;
    expect("copy t from stdin;\n1\n2", "[copy t from stdin]{1\n2}");
    expect("copy t from stdin;\n", "[copy t from stdin]{}");
    expect("copy t from stdin;", "[copy t from stdin]{}");
    expect("copy t from stdin", "[copy t from stdin]{}");
}

static void a_statement_around_copy_data_is_refused(void **state)
{
    (void)state;
    expect("copy t from stdin; select\n1\n\\.\n2;",
           "a.sql:1:20: a statement begins between COPY and its data and ends after the data");
    expect("copy t from stdin; /* x\n1\n\\.\n*/",
           "a.sql:1:20: a statement begins between COPY and its data and ends after the data");
}

static void backslash_commands_are_pieces(void **state)
{
    (void)state;
    expect("\\restrict abc\nselect 1;\n\\unrestrict abc\n", "[\\restrict abc][select 1][\\unrestrict abc]");
    expect("select 1; \\echo x y  \nselect 2;", "[select 1][\\echo x y][select 2]");
    expect("\\set A 1 \\set B 2\n", "[\\set A 1][\\set B 2]");
    expect("\\echo 'a\\b ''c' \\\\ select 1;", "[\\echo 'a\\b ''c'][select 1]");
    expect("\\echo x\r\nselect 1;\r\n", "[\\echo x][select 1]");
    expect("-- c\n  \\echo\n", "[\\echo]");
}

static void a_command_in_a_statement_is_the_last_piece(void **state)
{
    (void)state;
    expect("select 1 \\gexec\nselect 2;", "![\\gexec]");
    expect("create table t (\n\\echo x\n);", "![\\echo x]");
}

static void what_psql_would_change_is_refused(void **state)
{
    (void)state;
    expect("select 1 \\; select 2;", "a.sql:1:10: psql's \\; is not supported");
    expect("select a \\: b;", "a.sql:1:10: psql's \\: is not supported");
    expect("select\n  :{?x};", "a.sql:2:3: psql's :{?name} is not supported");
    expect("select '\\;', $$:{?x}$$, E'\\\\:';", "[select '\\;', $$:{?x}$$, E'\\\\:']");
}

static void what_is_never_closed_is_found_where_it_opens(void **state)
{
    (void)state;
    expect("select 'é', 'abc\n;\n;", "a.sql:1:13: unterminated quoted string");
    expect("a;\nselect E'abc\\';", "a.sql:2:8: unterminated quoted string");
    expect("a;\nselect 'b' || 'c';\n  \"d;\nx;", "a.sql:3:3: unterminated quoted identifier");
    expect("do $body$\nbegin\n$$ ; $bod$;", "a.sql:1:4: unterminated dollar-quoted string");
    expect("a; /* b /* c */\n;", "a.sql:1:4: unterminated /* comment");
    expect("create table t (a int, b numeric(1,2);\ncreate table u (c int);\n",
           "a.sql:1:16: parenthesis is never closed");
    expect("create function f() returns int\nbegin atomic select 1;\n",
           "a.sql:2:1: BEGIN of a function body without its END");
    expect("copy t from stdin;\n'\n\\.\n\n '", "a.sql:5:2: unterminated quoted string");
    expect("a;\n select 0xFF, 'b", "a.sql:2:2: unterminated quoted string");
}

static void lines_and_columns_are_those_of_the_file(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(split_clear) struct split split = {0};
    char text[] = "-- ü\r\n/* x */ é; b;\r\n\\echo\r\ncopy t from stdin; c;\r\n1\r\n\\.\r\n  d;";
    struct source source = of(text);
    static const size_t places[][2] = {{11, 9}, {11, 12}, {12, 1}, {13, 1}, {13, 20}, {16, 3}};

    (void)state;
    source.first_line = 10;
    assert_true(split_source(&source, false, &split, &error));
    assert_int_equal(split.count, 6);
    for (size_t i = 0; i < split.count; i++) {
        assert_int_equal(split.pieces[i].line, places[i][0]);
        assert_int_equal(split.pieces[i].column, places[i][1]);
    }
}

static void variables_are_found_outside_quotes(void **state)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(split_clear) struct split split = {0};
    char text[] =
        "select ':x', $$:x$$, a::int, /* :'x' */ b := 1 -- :'x'\n, :'ä', :\"b\" -- :x\n, :c, a[1:2];"
        " select 1; select :'d';";
    static const char *const expected[] = {":'ä'", ":\"b\"", ":c", ":2", ":'d'"};
    struct source source = of(text);

    (void)state;
    assert_true(split_source(&source, false, &split, &error));
    assert_int_equal(split.count, 3);
    assert_int_equal(split.variable_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(split.variables[i].length, strlen(expected[i]));
        assert_memory_equal(text + split.variables[i].offset, expected[i], strlen(expected[i]));
    }
    assert_int_equal(split.pieces[0].variables, 4);
    assert_int_equal(split.pieces[1].variables, 0);
    assert_int_equal(split.pieces[2].variable, 4);
    assert_int_equal(split.pieces[2].variables, 1);
}

static void carriage_returns_end_comments_as_in_psql(void **state)
{
    (void)state;
    expect("-- c\r-x; y", "[-x][y]");
    expect("a -- c\r - b; d", "[a -- c\r - b][d]");
    expect("'a'\n \r 'b;'; c", "['a'\n \r 'b;'][c]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(semicolons_end_statements),
        cmocka_unit_test(semicolons_in_quotes_do_not),
        cmocka_unit_test(backslashes_escape_when_the_script_says_so),
        cmocka_unit_test(bodies_and_rules_stay_whole),
        cmocka_unit_test(copy_takes_the_lines_that_follow),
        cmocka_unit_test(copy_data_may_end_with_the_file),
        cmocka_unit_test(a_statement_around_copy_data_is_refused),
        cmocka_unit_test(backslash_commands_are_pieces),
        cmocka_unit_test(a_command_in_a_statement_is_the_last_piece),
        cmocka_unit_test(what_psql_would_change_is_refused),
        cmocka_unit_test(what_is_never_closed_is_found_where_it_opens),
        cmocka_unit_test(lines_and_columns_are_those_of_the_file),
        cmocka_unit_test(variables_are_found_outside_quotes),
        cmocka_unit_test(carriage_returns_end_comments_as_in_psql),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
