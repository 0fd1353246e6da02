/* SPDX-License-Identifier: PostgreSQL */
#include "common/memory.h"
#include "common/quote.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_and_free(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void names_are_always_quoted_and_their_quotes_doubled(void **state)
{
    (void)state;
    assert_and_free(postgres_quote_name("orders"), "\"orders\"");
    assert_and_free(postgres_quote_name("my \"best\" table"), "\"my \"\"best\"\" table\"");
    assert_and_free(postgres_quote_name("\"\""), "\"\"\"\"\"\"");
    assert_and_free(postgres_quote_name("größe"), "\"größe\"");
    assert_and_free(postgres_quote_name(""), "\"\"");
}

static void literals_double_their_own_quote_only(void **state)
{
    (void)state;
    assert_and_free(postgres_quote_literal("it's"), "'it''s'");
    assert_and_free(postgres_quote_literal("a\\b \"c\""), "'a\\b \"c\"'");
}

static void placeholders_become_quoted_names(void **state)
{
    (void)state;
    const struct postgres_name names[] = {{"schema", "public"}, {"table", "my \"t\""}, {0}};

    assert_and_free(postgres_bind("SELECT * FROM :\"schema\".:\"table\"", names),
                    "SELECT * FROM \"public\".\"my \"\"t\"\"\"");
    assert_and_free(postgres_bind(":\"table\":\"table\"", names), "\"my \"\"t\"\"\"\"my \"\"t\"\"\"");
}

static void everything_else_stays_as_it_is(void **state)
{
    (void)state;
    const struct postgres_name names[] = {{"table", "t"}, {0}};

    assert_and_free(postgres_bind("", names), "");
    assert_and_free(
        postgres_bind("SELECT ':x'::text, a[1:\"n\"] FROM :\"tables\", :\"tab\" WHERE :\"", names),
        "SELECT ':x'::text, a[1:\"n\"] FROM :\"tables\", :\"tab\" WHERE :\"");
    assert_and_free(postgres_bind(":\": :\"table\"", names), ":\": :\"table\"");
}

static void literals_and_raw_text_have_placeholders_of_their_own(void **state)
{
    (void)state;
    const struct postgres_name names[] = {{"list", "\"a\", \"b\""}, {"place", "it's"}, {0}};

    assert_and_free(postgres_bind("COPY t (:list) TO :'place'", names), "COPY t (\"a\", \"b\") TO 'it''s'");
    assert_and_free(postgres_bind("x::list :lists :place_of :list", names),
                    "x::list :lists :place_of \"a\", \"b\"");
}

static void nothing_is_replaced_within_quotes_and_comments(void **state)
{
    (void)state;
    const struct postgres_name names[] = {{"database", "d"}, {0}};

    assert_and_free(
        postgres_bind("COMMENT ON DATABASE :\"database\" IS 'at :\"database\", it''s :database'", names),
        "COMMENT ON DATABASE \"d\" IS 'at :\"database\", it''s :database'");
    assert_and_free(postgres_bind("\"we:database\" -- it's\n:database", names), "\"we:database\" -- it's\nd");
}

static void what_a_name_holds_is_not_looked_at_again(void **state)
{
    (void)state;
    const struct postgres_name names[] = {{"a", "x:\"b"}, {"b", "y"}, {0}};

    assert_and_free(postgres_bind(":\"a\" :\"b\"", names), "\"x:\"\"b\" \"y\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_always_quoted_and_their_quotes_doubled),
        cmocka_unit_test(literals_double_their_own_quote_only),
        cmocka_unit_test(placeholders_become_quoted_names),
        cmocka_unit_test(literals_and_raw_text_have_placeholders_of_their_own),
        cmocka_unit_test(nothing_is_replaced_within_quotes_and_comments),
        cmocka_unit_test(everything_else_stays_as_it_is),
        cmocka_unit_test(what_a_name_holds_is_not_looked_at_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
