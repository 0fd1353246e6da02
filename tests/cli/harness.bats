# SPDX-License-Identifier: PostgreSQL
# The tests' own tools, where a mistake would make other tests pass for nothing.

load helpers

@test "each test has an empty database of its own" {
    assert_value "select current_database()" "$TEST_DATABASE"
    assert_value "select count(*) from pg_class where relnamespace = 'public'::regnamespace" 0
}

@test "the server is of the version that was asked for" {
    [ -n "${PGMIGRATE_PG_BINDIR-}" ] || skip "no version was asked for"
    run "$PGMIGRATE_PG_BINDIR/postgres" --version
    assert_output "(PostgreSQL) $(psql_value "show server_version")"
}

@test "pgbouncer stands in the way in the mode that was asked for" {
    start_pgbouncer transaction
    assert_value "select current_database()" "$TEST_DATABASE"
    run psql -XAtq -d "${DATABASE_URL/$TEST_DATABASE/pgbouncer}" -c "show config"
    assert_output "pool_mode|transaction"
}

@test "the tests' assertions can fail" {
    run_pgmigrate --version
    assert_status 0
    run ! assert_status 1
    run_pgmigrate --version
    run ! assert_output "no such text"
    run ! refute_output pgmigrate
    run ! assert_equal a b
    run ! assert_value "select 1" 2
    WAIT_SECONDS=0 run ! wait_until false
}

@test "only the program for tests can be killed at a point" {
    run ! grep -q PGMIGRATE_TEST_STOP "$TEST_BUILD/pgmigrate"
    "$TEST_BUILD/points/pgmigrate" --version
    run ! kill_pgmigrate_at nowhere --version
}
