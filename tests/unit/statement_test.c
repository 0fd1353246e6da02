/* SPDX-License-Identifier: PostgreSQL */
#include "common/text.h"
#include "migrator/statement.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static enum statement_kind kind(const char *text)
{
    const char *what;

    return statement_kind(text, strlen(text), &what);
}

static void expect_outside(const char *text, const char *expected)
{
    const char *what = NULL;

    if (statement_kind(text, strlen(text), &what) != STATEMENT_OUTSIDE)
        fail_msg("runs in a transaction: %s", text);
    assert_string_equal(what, expected);
}

static void expect_plain(const char *text)
{
    if (kind(text) != STATEMENT_PLAIN)
        fail_msg("is not plain: %s", text);
}

static void transaction_control_is_known(void **state)
{
    (void)state;
    assert_int_equal(kind("begin"), STATEMENT_BEGIN);
    assert_int_equal(kind("BEGIN WORK ISOLATION LEVEL SERIALIZABLE"), STATEMENT_BEGIN);
    assert_int_equal(kind("start /* x */ transaction"), STATEMENT_BEGIN);
    assert_int_equal(kind("commit"), STATEMENT_COMMIT);
    assert_int_equal(kind("END TRANSACTION"), STATEMENT_COMMIT);
    assert_int_equal(kind("COMMIT WORK AND NO CHAIN"), STATEMENT_COMMIT);
    assert_int_equal(kind("COMMIT AND CHAIN"), STATEMENT_CONTROL);
    assert_int_equal(kind("END WORK AND CHAIN"), STATEMENT_CONTROL);
    assert_int_equal(kind("COMMIT PREPARED 'x'"), STATEMENT_CONTROL);
    assert_int_equal(kind("ROLLBACK PREPARED 'x'"), STATEMENT_CONTROL);
    assert_int_equal(kind("PREPARE TRANSACTION 'x'"), STATEMENT_CONTROL);
    assert_int_equal(kind("ROLLBACK"), STATEMENT_ABORT);
    assert_int_equal(kind("abort work"), STATEMENT_ABORT);
    assert_int_equal(kind("ROLLBACK AND CHAIN"), STATEMENT_CONTROL);
    assert_int_equal(kind("ABORT AND CHAIN"), STATEMENT_CONTROL);
}

static void savepoints_and_lookalikes_are_plain(void **state)
{
    (void)state;
    expect_plain("SAVEPOINT a");
    expect_plain("RELEASE a");
    expect_plain("ROLLBACK TO a");
    expect_plain("ROLLBACK WORK TO SAVEPOINT a");
    expect_plain("PREPARE p AS SELECT 1");
    expect_plain("SELECT 'COMMIT'");
    expect_plain("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    expect_plain("");
}

static void copy_from_stdin_takes_data(void **state)
{
    (void)state;
    assert_int_equal(kind("COPY t FROM STDIN"), STATEMENT_COPY_IN);
    assert_int_equal(kind("copy /* c */ s.\"from\" (a, b) from stdin with (format csv)"), STATEMENT_COPY_IN);
    assert_int_equal(kind("copy binary t from stdin"), STATEMENT_COPY_IN);
    assert_int_equal(kind("COPY t FROM stdout"), STATEMENT_COPY_IN);
    assert_int_equal(kind("COPY t FROM stdin WHERE a > (SELECT 1)"), STATEMENT_COPY_IN);
    expect_plain("COPY t FROM '/tmp/stdin'");
    expect_plain("COPY t FROM PROGRAM 'cat stdin'");
    expect_plain("COPY stdin FROM 'x'");
    expect_plain("COPY t TO 'x'");
    expect_plain("COPY (SELECT a FROM stdin) TO 'x'");
}

static void copy_to_stdout_is_seen(void **state)
{
    static const char *const out[] = {"COPY t TO STDOUT", "copy (select 1 from stdin) to stdin"};
    static const char *const in[] = {"COPY t FROM STDIN", "SELECT 1", "COPY t TO 'stdout'"};

    (void)state;
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_true(statement_copies_out(out[i], strlen(out[i])));
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        assert_false(statement_copies_out(in[i], strlen(in[i])));
}

static void procedures_and_blocks_may_commit(void **state)
{
    (void)state;
    assert_int_equal(kind("CALL p()"), STATEMENT_MAY_COMMIT);
    assert_int_equal(kind("do $$ begin end $$"), STATEMENT_MAY_COMMIT);
    assert_int_equal(kind("DO LANGUAGE plpgsql 'begin end'"), STATEMENT_MAY_COMMIT);
}

static void statements_for_indexes_run_outside(void **state)
{
    (void)state;
    expect_outside("CREATE INDEX CONCURRENTLY ON t (a)", "CREATE INDEX CONCURRENTLY");
    expect_outside("create unique index concurrently if not exists i on t (a)", "CREATE INDEX CONCURRENTLY");
    expect_outside("/*+ hint */ DROP INDEX /* now */ CONCURRENTLY i", "DROP INDEX CONCURRENTLY");
    expect_outside("REINDEX INDEX CONCURRENTLY i", "REINDEX CONCURRENTLY");
    expect_outside("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", "REINDEX CONCURRENTLY");
    expect_outside("REINDEX (CONCURRENTLY on) TABLE t", "REINDEX CONCURRENTLY");
    expect_outside("REINDEX (VERBOSE) TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY");
    expect_outside("REINDEX SCHEMA s", "REINDEX of a schema or database");
    expect_outside("REINDEX (VERBOSE) DATABASE d", "REINDEX of a schema or database");
    expect_outside("REINDEX SYSTEM d", "REINDEX of a schema or database");
    expect_plain("CREATE INDEX i ON t (a)");
    expect_plain("CREATE INDEX \"concurrently\" ON t (a)");
    expect_plain("REINDEX TABLE t");
    expect_plain("REINDEX (CONCURRENTLY false) TABLE t");
    expect_plain("REINDEX (CONCURRENTLY 0, VERBOSE) INDEX t");
    expect_plain("REFRESH MATERIALIZED VIEW CONCURRENTLY v");
}

static void statements_for_the_whole_cluster_run_outside(void **state)
{
    (void)state;
    expect_outside("VACUUM", "VACUUM");
    expect_outside("vacuum (analyze) t", "VACUUM");
    expect_outside("CLUSTER", "CLUSTER without a table");
    expect_outside("CLUSTER VERBOSE", "CLUSTER without a table");
    expect_outside("CLUSTER (VERBOSE)", "CLUSTER without a table");
    expect_outside("ALTER SYSTEM SET a = 1", "ALTER SYSTEM");
    expect_outside("CREATE DATABASE d", "CREATE DATABASE");
    expect_outside("DROP DATABASE d", "DROP DATABASE");
    expect_outside("ALTER DATABASE d SET TABLESPACE t", "ALTER DATABASE ... SET TABLESPACE");
    expect_outside("CREATE TABLESPACE t LOCATION '/x'", "CREATE TABLESPACE");
    expect_outside("DROP TABLESPACE t", "DROP TABLESPACE");
    expect_outside("ALTER TABLE p DETACH PARTITION q CONCURRENTLY",
                   "ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY");
    expect_plain("ANALYZE t");
    expect_plain("CLUSTER t USING i");
    expect_plain("CLUSTER (VERBOSE) t");
    expect_plain("ALTER DATABASE d SET work_mem = 1");
    expect_plain("DISCARD PLANS");
    expect_plain("ALTER TABLE p DETACH PARTITION q");
    expect_plain("ALTER TABLE p DETACH PARTITION q FINALIZE");
    expect_plain("ALTER TABLE p ADD COLUMN concurrently int");
}

static void subscriptions_run_outside_when_they_use_the_publisher(void **state)
{
    static const char create[] = "CREATE SUBSCRIPTION that creates its slot";
    static const char alter[] = "ALTER SUBSCRIPTION that refreshes";

    (void)state;
    expect_outside("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", create);
    expect_outside("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = true)", create);
    expect_outside("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot)", create);
    expect_plain("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)");
    expect_plain("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (copy_data, connect = 'off')");
    expect_outside("ALTER SUBSCRIPTION s REFRESH PUBLICATION", alter);
    expect_outside("ALTER SUBSCRIPTION s SET PUBLICATION p", alter);
    expect_outside("ALTER SUBSCRIPTION s ADD PUBLICATION p WITH (refresh = true)", alter);
    expect_outside("ALTER SUBSCRIPTION s SET (failover = true)", alter);
    expect_outside("ALTER SUBSCRIPTION s SET (two_phase = false)", alter);
    expect_plain("ALTER SUBSCRIPTION s DROP PUBLICATION p WITH (refresh = false)");
    expect_plain("ALTER SUBSCRIPTION s SET (slot_name = NONE)");
    expect_plain("ALTER SUBSCRIPTION s DISABLE");
    expect_plain("ALTER SUBSCRIPTION");
    expect_outside("DROP SUBSCRIPTION IF EXISTS s", "DROP SUBSCRIPTION");
}

static void settings_of_the_session_are_told_from_those_of_a_transaction(void **state)
{
    (void)state;
    static const char *const session[] = {"SET search_path = app",
                                          "set session work_mem to '1MB'",
                                          "RESET ALL",
                                          "SET ROLE app",
                                          "SELECT set_config('a.b', 'c', false)",
                                          "SELECT pg_catalog.set_config('search_path', '', false)"};
    static const char *const others[] = {"SET LOCAL work_mem = '1MB'",   "SET TRANSACTION READ ONLY",
                                         "SET CONSTRAINTS ALL DEFERRED", "SELECT 1",
                                         "UPDATE t SET a = 1",           ""};

    for (size_t i = 0; i < sizeof session / sizeof *session; i++)
        if (!statement_sets_session(session[i]))
            fail_msg("is for the session: %s", session[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (statement_sets_session(others[i]))
            fail_msg("is not for the session: %s", others[i]);
}

static void what_comes_before_the_first_query_only_is_known(void **state)
{
    (void)state;
    assert_true(statement_sets_transaction("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"));
    assert_true(statement_sets_transaction("set /* here */ local transaction_isolation = 'serializable'"));
    assert_true(statement_sets_transaction("SET SESSION transaction_read_only TO off"));
    assert_false(statement_sets_transaction("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"));
    assert_false(statement_sets_transaction("SET transactions = 1"));
    assert_false(statement_sets_transaction("SELECT 1"));
    assert_false(statement_sets_transaction("SET"));
}

static void what_would_give_up_the_run_lock_is_control(void **state)
{
    (void)state;
    assert_int_equal(kind("DISCARD ALL"), STATEMENT_CONTROL);
}

static void expect_begin(const char *text, const char *expected, bool expected_read_only)
{
    bool read_only = false;
    OWNED char *begin = statement_begin(text, strlen(text), &read_only);

    if (!expected) {
        assert_null(begin);
        return;
    }
    assert_string_equal(begin, expected);
    assert_int_equal(read_only, expected_read_only);
}

static void the_modes_of_a_begin_are_kept(void **state)
{
    (void)state;
    expect_begin("begin", "BEGIN", false);
    expect_begin("BEGIN work", "BEGIN", false);
    expect_begin("START TRANSACTION isolation level repeatable read, not deferrable",
                 "BEGIN ISOLATION LEVEL REPEATABLE READ, NOT DEFERRABLE", false);
    expect_begin("begin transaction /* c */ read write -- x", "BEGIN READ WRITE", false);
    expect_begin("begin isolation level serializable read only deferrable",
                 "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE", true);
    expect_begin("begin quickly", NULL, false);
    expect_begin("begin read only; drop", NULL, false);
}

static void expect_strings(const char *text, bool before, bool found, bool expected)
{
    bool on = before;

    assert_int_equal(statement_sets_strings(text, strlen(text), true, &on), found);
    assert_int_equal(on, expected);
}

static void standard_strings_are_set_and_reset(void **state)
{
    (void)state;
    expect_strings("set standard_conforming_strings = off", true, true, false);
    expect_strings("SET LOCAL Standard_Conforming_Strings TO 'False'", true, true, false);
    expect_strings("set session standard_conforming_strings to on", false, true, true);
    expect_strings("set standard_conforming_strings to default", false, true, true);
    expect_strings("reset standard_conforming_strings", false, true, true);
    expect_strings("reset all", false, true, true);
    expect_strings("reset search_path", false, false, false);
    expect_strings("set search_path = off", true, false, true);
    expect_strings("select 1", true, false, true);
}

static void expect_lock_timeout(const char *text, bool found, bool expected_own)
{
    bool own = !expected_own;

    assert_int_equal(statement_sets_lock_timeout(text, strlen(text), &own), found);
    assert_int_equal(own, expected_own);
}

static void lock_timeouts_are_set_and_reset(void **state)
{
    (void)state;
    expect_lock_timeout("SET lock_timeout = 0", true, true);
    expect_lock_timeout("set local Lock_Timeout to '5s'", true, true);
    expect_lock_timeout("set session lock_timeout to default", true, true);
    expect_lock_timeout("select set_config('lock_timeout', '0', true)", true, true);
    expect_lock_timeout("SELECT pg_catalog.set_config ( 'lock_timeout', '0', true)", true, true);
    expect_lock_timeout("reset lock_timeout", true, false);
    expect_lock_timeout("reset all", true, false);
    expect_lock_timeout("reset role", false, false);
    expect_lock_timeout("set statement_timeout = 0", false, false);
    expect_lock_timeout("select set_config('search_path', 'lock_timeout', true)", false, false);
    expect_lock_timeout("select lock_timeout", false, false);
    expect_lock_timeout("", false, false);
}

static void new_enum_values_are_found(void **state)
{
    static const char add[] = "alter type s.color add value if not exists 'red' before 'blue'";
    static const char make[] = "create type \"s\".color as enum ('x')";
    static const char other[] = "alter type color rename value 'a' to 'b'";
    struct token type, value;

    (void)state;
    assert_true(statement_enum_value(add, strlen(add), &type, &value));
    assert_int_equal(strncmp(type.text, "color ", 6), 0);
    assert_int_equal(strncmp(value.text, "'red' ", 6), 0);
    assert_false(statement_enum_value(other, strlen(other), &type, &value));
    assert_true(statement_enum_type(make, strlen(make), &type));
    assert_int_equal(strncmp(type.text, "color ", 6), 0);
    assert_false(statement_enum_type("create type c as (a int)", 24, &type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transaction_control_is_known),
        cmocka_unit_test(savepoints_and_lookalikes_are_plain),
        cmocka_unit_test(copy_from_stdin_takes_data),
        cmocka_unit_test(copy_to_stdout_is_seen),
        cmocka_unit_test(procedures_and_blocks_may_commit),
        cmocka_unit_test(statements_for_indexes_run_outside),
        cmocka_unit_test(statements_for_the_whole_cluster_run_outside),
        cmocka_unit_test(subscriptions_run_outside_when_they_use_the_publisher),
        cmocka_unit_test(the_modes_of_a_begin_are_kept),
        cmocka_unit_test(standard_strings_are_set_and_reset),
        cmocka_unit_test(lock_timeouts_are_set_and_reset),
        cmocka_unit_test(new_enum_values_are_found),
        cmocka_unit_test(settings_of_the_session_are_told_from_those_of_a_transaction),
        cmocka_unit_test(what_comes_before_the_first_query_only_is_known),
        cmocka_unit_test(what_would_give_up_the_run_lock_is_control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
