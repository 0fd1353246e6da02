# SPDX-License-Identifier: PostgreSQL

load helpers

setup()
{
    test_setup
    for number in 1 2 3; do
        echo "CREATE TABLE t$number (id int);" | migration "00${number}_x"
        echo "DROP TABLE t$number;" | migration "00${number}_x_rollback"
    done
}

@test "baseline marks everything up to a version and runs nothing" {
    run_pgmigrate baseline 2 --reason "made by hand"
    assert_status 0
    assert_equal "$output" "marked 001_x
marked 002_x
2 marked as applied on postgres@[local]/$TEST_DATABASE"
    assert_equal "$stderr" ""
    assert_value "select to_regclass('t1') is null" t
    run_pgmigrate apply
    assert_output "1 of 1 applied"
    assert_value "select to_regclass('t2') is null and to_regclass('t3') is not null" t
    assert_value "select string_agg(action || ' ' || coalesce(reason, '-'), ', ' order by id)
        from schema_migrations_log where version = '001_x'" "baseline made by hand"
}

@test "baseline stores the texts, so that its migrations can be rolled back" {
    run_pgmigrate baseline latest
    assert_value "select forward_text || rollback_text || length(checksum) from schema_migrations
        where version = '001_x'" "CREATE TABLE t1 (id int);
DROP TABLE t1;
64"
}

@test "baseline leaves alone what is applied, and says when there is nothing to mark" {
    run_pgmigrate apply --to 1
    run_pgmigrate baseline 2 --json
    assert_status 0
    assert_equal "$(json '[.migrations[].version] | join(" ")')" 002_x
    assert_value "select state from schema_migrations where version = '001_x'" applied
    run_pgmigrate baseline 2
    assert_status 0
    assert_output "nothing to mark"
}

@test "baseline --dry-run lists, and creates nothing" {
    run_pgmigrate baseline 2 --dry-run
    assert_status 0
    assert_output "would mark 002_x"
    assert_value "select to_regclass('schema_migrations') is null" t
}

@test "baseline of a version that is not there is exit 2 and creates nothing" {
    run_pgmigrate baseline 7
    assert_status 2
    assert_stderr '"7"'
    assert_value "select to_regclass('schema_migrations') is null" t
    run_pgmigrate baseline
    assert_status 2
    assert_stderr VERSION
}

@test "baseline waits for the run lock" {
    echo 'SELECT pg_sleep(20);' | migration 001_x
    start_pgmigrate apply
    wait_until sleeping
    run_pgmigrate baseline 3 --wait-lock 1
    assert_status 5
    assert_stderr "waiting: the run lock is held by pid "
    kill "$PGMIGRATE_PID"
    wait_pgmigrate
    run_pgmigrate baseline 3
    assert_status 0
}

@test "baseline stops at a script that stopped half way" {
    printf -- '-- pgmigrate: no-transaction\nSELECT 1;\nVACUUM nothing;\n' | migration 001_x
    run_pgmigrate apply
    [ "$status" -ne 0 ]
    run_pgmigrate baseline 3
    assert_status 6
    assert_stderr '"001_x" stopped half way'
}

@test "a version that is not there is answered with those that are" {
    run_pgmigrate baseline 77 -m migrations
    assert_status 2
    assert_stderr 'The migrations go from "'
    find migrations -name '*.sql' ! -name '001*' -delete
    run_pgmigrate baseline 77
    assert_status 2
    assert_stderr 'There is only "001'
}
