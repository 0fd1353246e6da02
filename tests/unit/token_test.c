/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/token.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct tokens of(const char *text)
{
    return (struct tokens){.text = text, .length = strlen(text)};
}

/* The tokens of a text, one letter for the kind in front of each, joined by "|". */
static void expect(const char *text, const char *expected)
{
    static const char letters[] = " wisn.";
    struct tokens tokens = of(text);
    struct token token;
    char *all = NULL;
    size_t size;
    FILE *stream = open_memstream(&all, &size);

    while (token_next(&tokens, &token))
        fprintf(stream, "|%c%.*s", letters[token.kind], (int)token.length, token.text);
    fclose(stream);
    assert_string_equal(all, expected);
    free(all);
}

static void comments_and_blanks_are_skipped(void **state)
{
    (void)state;
    expect("", "");
    expect(" -- only this", "");
    expect("a -- x\n b /* c /* d */ ; */ e\f", "|wa|wb|we");
    expect("a--x\rb", "|wa|wb");
    expect("a/**/b", "|wa|wb");
    expect("1 - -1", "|n1|.-|.-|n1");
    expect("a*--x\nb+/*y*/c", "|wa|.*|wb|.+|wc");
}

static void quotes_end_where_the_server_ends_them(void **state)
{
    (void)state;
    expect("'a''b' 'c\\'", "|s'a''b'|s'c\\'");
    expect("E'a\\'b' e'\\\\'x", "|sE'a\\'b'|se'\\\\'|wx");
    expect("B'1' x'f' N'n' U&'\\0041' U&\"x\"", "|sB'1'|sx'f'|sN'n'|sU&'\\0041'|iU&\"x\"");
    expect("\"a\"\"b\".c", "|i\"a\"\"b\"|..|wc");
    expect("$$a;'$$ $x$ $y$ $$ $x$;", "|s$$a;'$$|s$x$ $y$ $$ $x$|.;");
    expect("$a$$a$b$a$", "|s$a$$a$|wb$a$");
    expect("$aa$ $a$ $aa$", "|s$aa$ $a$ $aa$");
}

static void what_is_not_closed_reaches_to_the_end(void **state)
{
    (void)state;
    expect("a 'b", "|wa|s'b");
    expect("E'b\\", "|sE'b\\");
    expect("\"b", "|i\"b");
    expect("$t$ b $$", "|s$t$ b $$");
    expect("a /* b", "|wa|./|.*|wb");
}

static void everything_else_is_one_character(void **state)
{
    (void)state;
    expect("1.5 <= a::b", "|n1|..|n5|.<|.=|wa|.:|.:|wb");
    expect("1$a$;$a$", "|n1|s$a$;$a$");
    expect("a$b$ $1", "|wa$b$|.$|n1");
}

static void a_blank_skip_stops_at_a_hint(void **state)
{
    (void)state;
    struct tokens tokens = of(" /* no */ -- no\n /*+ hint */ select");

    token_skip_blank(&tokens);
    assert_int_equal(tokens.offset, 17);
    assert_true(token_accept(&tokens, "SELECT"));
}

static void words_are_accepted_whole_and_in_any_case(void **state)
{
    (void)state;
    struct tokens tokens = of("create /* c */ Unique index i");

    assert_false(token_accept(&tokens, "creat"));
    assert_false(token_accept(&tokens, "created"));
    assert_false(token_accept_all(&tokens, "CREATE INDEX"));
    assert_true(token_accept_all(&tokens, "CREATE UNIQUE INDEX"));
    assert_false(token_accept_all(&tokens, "I J"));
    assert_true(token_accept(&tokens, "I"));
    assert_false(token_accept(&tokens, "I"));
}

static void names_are_as_the_catalogs_have_them(void **state)
{
    (void)state;
    struct tokens tokens = of("Orders \"Or\"\"Ders\" 'text' .");
    struct token token;
    const char *const expected[] = {"orders", "Or\"Ders", NULL, NULL};

    for (size_t i = 0; i < 4; i++) {
        assert_true(token_next(&tokens, &token));
        OWNED char *name = token_name(&token);
        assert_true(text_equal(name, expected[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_blanks_are_skipped),
        cmocka_unit_test(quotes_end_where_the_server_ends_them),
        cmocka_unit_test(what_is_not_closed_reaches_to_the_end),
        cmocka_unit_test(everything_else_is_one_character),
        cmocka_unit_test(a_blank_skip_stops_at_a_hint),
        cmocka_unit_test(words_are_accepted_whole_and_in_any_case),
        cmocka_unit_test(names_are_as_the_catalogs_have_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
