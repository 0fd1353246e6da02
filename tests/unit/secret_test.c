/* SPDX-License-Identifier: PostgreSQL */
#include "cli/secret.h"
#include "common/memory.h"
#include "common/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void becomes(const char *conninfo, const char *expected)
{
    OWNED char *text = text_copy(conninfo);

    assert_int_equal(secret_overwrite(text), strcmp(conninfo, expected) != 0);
    assert_string_equal(text, expected);
}

static void passwords_in_a_uri_are_overwritten(void **state)
{
    (void)state;
    becomes("postgresql://u:pw@h/db", "postgresql://u:xx@h/db");
    becomes("postgres://u:p%40w@h:5433/db", "postgres://u:xxxxx@h:5433/db");
    becomes("postgres://:pw@h", "postgres://:xx@h");
    becomes("postgres://u:a:b@h", "postgres://u:xxx@h");
    becomes("postgres://u:p@w@h/d@b?x=@", "postgres://u:xxxxxxx@b?x=@");
    becomes("postgres://u:p/w@h/db", "postgres://u:xxx@h/db");
    becomes("postgres://h/db?user=u&password=pw&sslmode=require",
            "postgres://h/db?user=u&password=xx&sslmode=require");
    becomes("postgres://u:pw@h/db?sslpassword=k", "postgres://u:xx@h/db?sslpassword=x");
}

static void uris_without_a_password_stay(void **state)
{
    (void)state;
    becomes("postgres://h:5432/db", "postgres://h:5432/db");
    becomes("postgres://h:5432/d@b", "postgres://h:5432/d@b");
    becomes("postgres://[::1]:5432/d@b", "postgres://[::1]:5432/d@b");
    becomes("postgres://u@h:5432/db", "postgres://u@h:5432/db");
    becomes("postgres:///db?host=/tmp/a@b", "postgres:///db?host=/tmp/a@b");
    becomes("postgres://u:@h/db", "postgres://u:@h/db");
}

static void passwords_with_bare_special_characters_are_found(void **state)
{
    (void)state;
    assert_false(secret_is_encoded("postgres://u:p@w@h/db"));
    assert_false(secret_is_encoded("postgres://u:p/w@h/db"));
    assert_false(secret_is_encoded("postgresql://u:100%@h/db"));
    assert_false(secret_is_encoded("postgresql://u:p%4@h/db"));
    assert_true(secret_is_encoded("postgres://u:p%40%2Fw:#[@h/db"));
    assert_true(secret_is_encoded("postgres://u@h:5432/d@b"));
    assert_true(secret_is_encoded("host=h password=p@/%"));
}

static void passwords_among_keywords_are_overwritten(void **state)
{
    (void)state;
    becomes("host=h password=pw dbname=d", "host=h password=xx dbname=d");
    becomes("password = 'p w\\' x' host=h", "password = 'xxxxxxx' host=h");
    becomes("PASSWORD=a\\ b host=h", "PASSWORD=xxxx host=h");
    becomes("sslpassword='k' host=h", "sslpassword='x' host=h");
}

static void other_words_stay(void **state)
{
    (void)state;
    becomes("", "");
    becomes("service=prod", "service=prod");
    becomes("embedded:", "embedded:");
    becomes("mydb", "mydb");
    becomes("passfile=/x dbname='password=1'", "passfile=/x dbname='password=1'");
    becomes("password=''", "password=''");
    becomes("password='unclosed", "password='xxxxxxxx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_in_a_uri_are_overwritten),
        cmocka_unit_test(uris_without_a_password_stay),
        cmocka_unit_test(passwords_with_bare_special_characters_are_found),
        cmocka_unit_test(passwords_among_keywords_are_overwritten),
        cmocka_unit_test(other_words_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
