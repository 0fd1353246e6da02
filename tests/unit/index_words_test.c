/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/index_words.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* "schema.index on table_schema.table", a minus for what is not there; "!" in front for IF NOT EXISTS. */
static void expect(const char *statement, const char *expected)
{
    AUTO(index_build_clear) struct index_build build = {0};

    if (!script_index_build(statement, &build)) {
        assert_null(expected);
        return;
    }
    OWNED char *text =
        text_format("%s%s.%s on %s.%s", build.if_not_exists ? "!" : "", build.schema ? build.schema : "-",
                    build.index ? build.index : "-", build.table_schema ? build.table_schema : "-",
                    build.table ? build.table : "-");
    assert_non_null(expected);
    assert_string_equal(text, expected);
}

static void create_index_concurrently_names_index_and_table(void **state)
{
    (void)state;
    expect("create index concurrently i on t (a)", "-.i on -.t");
    expect("CREATE UNIQUE INDEX /* c */ CONCURRENTLY IF NOT EXISTS \"I\"\"x\" ON ONLY S.\"T\" USING gin (a)",
           "!s.I\"x on s.T");
    expect("create index concurrently on db.s.t (a)", "s.- on s.t");
}

static void reindex_concurrently_names_one_of_them(void **state)
{
    (void)state;
    expect("reindex index concurrently s.i", "s.i on -.-");
    expect("reindex (verbose, concurrently) index i", "-.i on -.-");
    expect("reindex (concurrently on) table s.t", "-.- on s.t");
    expect("reindex (verbose) table concurrently t", "-.- on -.t");
}

static void other_statements_are_left_alone(void **state)
{
    (void)state;
    expect("create index i on t (a)", NULL);
    expect("create index concurrently", NULL);
    expect("create index concurrently i of", NULL);
    expect("create index concurrently i on 'x'", NULL);
    expect("create index concurrently U&\"x\" on t (a)", NULL);
    expect("reindex index i", NULL);
    expect("reindex (concurrently false) index i", NULL);
    expect("reindex schema concurrently s", NULL);
    expect("", NULL);
}

static void long_names_are_cut_as_the_server_cuts_them(void **state)
{
    char statement[256] = "create index concurrently ";
    char expected[128] = "-.";

    (void)state;
    memset(statement + strlen(statement), 'a', 62);
    memcpy(statement + strlen(statement), "ü on t (a)", sizeof "ü on t (a)");
    memset(expected + 2, 'a', 62);
    memcpy(expected + 64, " on -.t", sizeof " on -.t");
    expect(statement, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_index_concurrently_names_index_and_table),
        cmocka_unit_test(reindex_concurrently_names_one_of_them),
        cmocka_unit_test(other_statements_are_left_alone),
        cmocka_unit_test(long_names_are_cut_as_the_server_cuts_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
