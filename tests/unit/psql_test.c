/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/psql.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect_echo(const char *text, const char *expected)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(psql_command_clear) struct psql_command command = {0};

    assert_true(psql_command_read(text, strlen(text), "shop", &command, &error));
    assert_null(command.notice);
    if (expected)
        assert_string_equal(command.echo, expected);
    else
        assert_null(command.echo);
}

static void expect_notice(const char *text, const char *database)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(psql_command_clear) struct psql_command command = {0};

    assert_true(psql_command_read(text, strlen(text), database, &command, &error));
    assert_non_null(command.notice);
}

static void expect_error(const char *text, const char *message, const char *hint)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(psql_command_clear) struct psql_command command = {0};

    assert_false(psql_command_read(text, strlen(text), "shop", &command, &error));
    assert_int_equal(error.code, ERROR_USAGE);
    assert_string_equal(error.message, message);
    assert_non_null(error.hint);
    if (!strstr(error.hint, hint))
        fail_msg("\"%s\" is not in: %s", hint, error.hint);
}

static void what_pg_dump_writes_is_accepted(void **state)
{
    (void)state;
    expect_echo("\\restrict aBc1", NULL);
    expect_echo("\\unrestrict aBc1", NULL);
    expect_echo("\\connect shop", NULL);
    expect_echo("\\c \"shop\"", NULL);
    expect_echo("\\c", NULL);
    expect_echo("\\c - - - -", NULL);
    expect_echo("\\c shop;", NULL);
    expect_echo("\\connect \"shop\" ;;", NULL);
    expect_echo("\\c ;", NULL);
    expect_echo("\\connect -reuse-previous=on \"dbname='shop'\"", NULL);
    expect_echo("\\encoding UTF8", NULL);
    expect_echo("\\encoding 'utf-8'", NULL);
}

static void settings_that_change_nothing_are_accepted(void **state)
{
    (void)state;
    expect_echo("\\set ON_ERROR_STOP on", NULL);
    expect_echo("\\set ON_ERROR_STOP 1", NULL);
    expect_echo("\\set AUTOCOMMIT on", NULL);
    expect_echo("\\set QUIET", NULL);
    expect_notice("\\set ON_ERROR_STOP off", "shop");
    expect_notice("\\set ON_ERROR_STOP", "shop");
}

static void echo_keeps_its_text(void **state)
{
    (void)state;
    expect_echo("\\echo", "");
    expect_echo("\\echo   a   b ", "a b");
    expect_echo("\\echo a;", "a;");
    expect_echo("\\qecho 'it''s  \\'one\\'\\n'x \"A b\"", "it's  'one'\nx \"A b\"");
    expect_echo("\\warn -n 'a'", "a");
    expect_echo("\\echo 'open", "open");
}

static void a_connection_elsewhere_is_refused(void **state)
{
    (void)state;
    expect_error("\\connect other", "cannot connect to database \"other\" in a migration", "that database");
    expect_error("\\c Shop", "cannot connect to database \"Shop\" in a migration", "that database");
    expect_error("\\c \"shop;\"", "cannot connect to database \"shop;\" in a migration", "that database");
    expect_error("\\c shop bob", "psql command \\c is not supported in a migration", "one user");
    expect_notice("\\c anything", NULL);
}

static void other_commands_are_named_and_explained(void **state)
{
    (void)state;
    expect_error("\\i x.sql", "psql command \\i is not supported in a migration", "of that file");
    expect_error("\\copy t from 'x'", "psql command \\copy is not supported in a migration", "FROM stdin");
    expect_error("\\gexec", "psql command \\gexec is not supported in a migration", "EXECUTE");
    expect_error("\\g", "psql command \\g is not supported in a migration", "semicolon");
    expect_error("\\timing on", "psql command \\timing is not supported in a migration", "shows");
    expect_error("\\if :x", "psql command \\if is not supported in a migration", "DO block");
    expect_error("\\! ls", "psql command \\! is not supported in a migration", "shell");
    expect_error("\\frobnicate", "psql command \\frobnicate is not supported in a migration", "Accepted");
    expect_error("\\", "psql command \\ is not supported in a migration", "Accepted");
    expect_error("\\encoding latin1", "psql command \\encoding is not supported in a migration", "UTF-8");
    expect_error("\\set x 1", "psql command \\set x is not supported in a migration", "--set x=value");
    expect_error("\\set AUTOCOMMIT off", "psql command \\set AUTOCOMMIT is not supported in a migration",
                 "Remove");
    expect_error("\\echo `id`", "psql command \\echo is not supported in a migration", "shell");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_pg_dump_writes_is_accepted),
        cmocka_unit_test(settings_that_change_nothing_are_accepted),
        cmocka_unit_test(echo_keeps_its_text),
        cmocka_unit_test(a_connection_elsewhere_is_refused),
        cmocka_unit_test(other_commands_are_named_and_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
