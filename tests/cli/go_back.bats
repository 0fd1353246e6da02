# SPDX-License-Identifier: PostgreSQL
# Going back in an emergency: with an older folder, or with none.

load helpers

setup()
{
    test_setup
    migration 001_a <<<'CREATE TABLE a (x int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 002_b <<<'CREATE TABLE b (x int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
    pgmigrate apply -q
}

@test "rollback works without the folder" {
    rm -r migrations
    run_pgmigrate rollback
    assert_status 0
    assert_stderr "the migrations folder is left out of account"
    assert_value "select to_regclass('b') is null and to_regclass('a') is not null" t
    run_pgmigrate rollback --use=file
    assert_status 2
    assert_value "select to_regclass('a') is not null" t
}

@test "rollback works with a folder that holds mistakes" {
    migration 003_c <<<"SELECT 'never closed;"
    migration 003_d <<<"SELECT 1;"
    run_pgmigrate rollback --to 1
    assert_status 0
    assert_value "select string_agg(version, ',') from schema_migrations" 001_a
}

@test "the refusal to lose data counts what would be lost" {
    psql_value "insert into b values (1)"
    run_pgmigrate rollback
    assert_status 10
    assert_stderr "detail: Table public.b holds 1 row."
    psql_value "insert into b values (2); insert into a values (3)"
    run_pgmigrate rollback --steps 2
    assert_status 10
    assert_stderr "detail: Table public.b holds 2 rows, and there is more."
}

@test "what is only tried is not said to run" {
    run_pgmigrate rollback --verbose
    assert_status 0
    assert_stderr "trying: 002_b (rollback as stored):1: DROP TABLE b"
    assert_stderr "running: 002_b (rollback as stored):1: DROP TABLE b"
}

@test "at a terminal the trial is shown as one, with its own time" {
    output=$(script -qec "pgmigrate rollback" /dev/null </dev/null)
    assert_output "trying  "
    refute_output "[0/0]"
}

@test "--to 0 takes everything back, unless a version has that number" {
    run_pgmigrate rollback --to 7
    assert_status 2
    run_pgmigrate rollback --to 0
    assert_status 0
    assert_output "2 of 2 rolled back"
    migration 000_zero <<<'CREATE TABLE zero ();'
    migration 000_zero_rollback <<<'DROP TABLE zero;'
    pgmigrate apply -q
    run_pgmigrate rollback --to 0
    assert_status 0
    assert_output "2 of 2 rolled back"
    assert_value "select string_agg(version, ',') from schema_migrations" 000_zero
}

@test "with --json and --quiet the losses are in the document alone" {
    psql_value "insert into b values (1)"
    run_pgmigrate rollback --json --quiet
    assert_status 10
    assert_equal "$stderr" ""
    assert_equal "$(json '.losses[0].object')" public.b
}
