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
    static const char letters[] = " wisn.oc";
    struct tokens tokens = of(text);
    struct token token;
    char *all = NULL;
    size_t size;
    FILE *stream = open_memstream(&all, &size);

    while (token_next(&tokens, &token))
        fprintf(stream, "|%c%s%.*s", letters[token.kind], token.open ? "!" : "", (int)token.length,
                token.text);
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
    expect("1 - -1", "|n1|o-|o-|n1");
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
    expect("a$b$ $1", "|wa$b$|n$1");
    expect("$aa$ $a$ $aa$", "|s$aa$ $a$ $aa$");
}

static void what_is_not_closed_is_open(void **state)
{
    (void)state;
    expect("a 'b", "|wa|s!'b");
    expect("E'b\\", "|s!E'b\\");
    expect("\"b", "|i!\"b");
    expect("$t$ b $$", "|s!$t$ b $$");
    expect("a /* /* */ b", "|wa|c!/* /* */ b");
}

static void numbers_and_operators_are_cut_as_the_server_does(void **state)
{
    (void)state;
    expect("1.5e-3+0xFF-1_000 .5 1..10", "|n1.5e-3|o+|n0xFF|o-|n1_000|n.5|n1|...|n10");
    expect("a<=-1 @- b", "|wa|o<=|o-|n1|o@-|wb");
    expect("a*--x\nb+/*y*/c", "|wa|o*|wb|o+|wc");
    expect("a::int b := c[1:2]", "|wa|.::|wint|wb|.:=|wc|.[|n1|.:|n2|.]");
    expect("1e", "|n1e");
    expect("1$a$;$a$", "|n1|s$a$;$a$");
    expect("1a$a$;$a$", "|n1a$a$|.;|s!$a$");
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

static void expect_name(const char *text, const char *expected)
{
    struct tokens tokens = of(text);
    struct token token;

    (void)token_next(&tokens, &token);
    OWNED char *name = token_name(&token);
    if (expected)
        assert_string_equal(name, expected);
    else
        assert_null(name);
}

static void names_are_as_in_the_catalogs(void **state)
{
    (void)state;
    expect_name("FooÄ", "fooÄ");
    expect_name("\"Foo\"\"Bar\"", "Foo\"Bar");
    expect_name("U&\"x\"", NULL);
    expect_name("'x'", NULL);
    expect_name("\"x", NULL);
}

static bool same(const char *a, const char *b)
{
    return token_same(of(a), of(b));
}

static void texts_with_other_blanks_and_comments_are_the_same(void **state)
{
    (void)state;
    assert_true(same("select 1", "SELECT -- one\n\t1 /* x */"));
    assert_true(same("a<b", "a < b"));
    assert_true(same("'a'\n'b'", "'a' -- c\n  'b'"));
    assert_false(same("'a'\n'b'", "'a' 'b'"));
    assert_false(same("select 'a b'", "select 'a  b'"));
    assert_false(same("select \"A\"", "select \"a\""));
    assert_false(same("select 1", "select 1, 2"));
    assert_false(same("a < = b", "a <= b"));
    assert_false(same("a b", "ab"));
    assert_false(same("$$ x $$", "$$ X $$"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_blanks_are_skipped),
        cmocka_unit_test(quotes_end_where_the_server_ends_them),
        cmocka_unit_test(what_is_not_closed_is_open),
        cmocka_unit_test(numbers_and_operators_are_cut_as_the_server_does),
        cmocka_unit_test(a_blank_skip_stops_at_a_hint),
        cmocka_unit_test(words_are_accepted_whole_and_in_any_case),
        cmocka_unit_test(names_are_as_in_the_catalogs),
        cmocka_unit_test(texts_with_other_blanks_and_comments_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
