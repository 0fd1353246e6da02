# SPDX-License-Identifier: PostgreSQL

load helpers

# The state of the one version the tests are about.
state()
{
    pgmigrate status --json 2>/dev/null | jq -r '.migrations[0].state'
}

half_run()
{
    echo 'CREATE TABLE t (id int);' | migration 001_x
    printf -- '-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY a ON t (id);\nVACUUM nothing;\nVACUUM t;\n' |
        migration 002_y
    run_pgmigrate apply
    assert_status 7
}

@test "repair wants exactly one action and a reason" {
    echo 'SELECT 1;' | migration 001_x
    run_pgmigrate repair 1 --reason x
    assert_status 2
    assert_stderr "--accept-checksum, --mark-applied"
    run_pgmigrate repair 1 --clear --mark-applied --reason x
    assert_status 2
    assert_stderr "exclude each other"
    run_pgmigrate repair 1 --clear
    assert_status 2
    assert_stderr "--reason"
    run_pgmigrate repair 1 --clear --reason "  "
    assert_status 2
    assert_stderr "--reason"
    run_pgmigrate repair 1 --clear --reason ""
    assert_status 2
    run_pgmigrate repair --clear --reason x
    assert_status 2
}

@test "repair --accept-checksum takes the file as it is now" {
    echo 'CREATE TABLE t (id int);' | migration 001_x
    run_pgmigrate apply
    echo 'CREATE TABLE t (id bigint);' | migration 001_x
    assert_equal "$(state)" changed
    run_pgmigrate repair 1 --accept-checksum --reason "typo, same effect"
    assert_status 0
    assert_output 001_x
    assert_equal "$(state)" applied
    assert_value "select forward_text from schema_migrations" "CREATE TABLE t (id bigint);"
    assert_value "select who || ' ' || action || ' ' || reason from schema_migrations_log order by id desc limit 1" \
        "postgres accept_checksum typo, same effect"
    run_pgmigrate apply
    assert_status 0
}

@test "repair --mark-applied and --mark-rolled-back change the history only" {
    echo 'CREATE TABLE t (id int);' | migration 001_x
    run_pgmigrate repair 1 --mark-applied --reason "by hand" --json
    assert_status 0
    assert_equal "$(json '[.version, .action] | join(" ")')" "001_x mark-applied"
    assert_equal "$(state)" applied
    assert_value "select to_regclass('t') is null" t
    run_pgmigrate repair 1 --mark-applied --reason again
    assert_status 6
    assert_stderr '"001_x" is applied already'
    run_pgmigrate repair 1 --mark-rolled-back --reason "by hand"
    assert_status 0
    assert_equal "$(state)" pending
    assert_value "select string_agg(action, ' ' order by id) from schema_migrations_log" "mark_applied mark_rolled_back"
}

@test "repair --accept-missing lets a file be gone" {
    echo 'SELECT 1;' | migration 001_x
    echo 'SELECT 2;' | migration 002_y
    run_pgmigrate apply
    rm migrations/001_x.sql
    run_pgmigrate apply
    assert_status 6
    run_pgmigrate repair 1 --accept-missing --reason squashed
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate repair 2 --accept-missing --reason x
    assert_status 6
    assert_stderr '"002_y" is not missing'
}

@test "repair --clear forgets a half-run script" {
    half_run
    run_pgmigrate repair 2 --clear --reason "dropped the index by hand"
    assert_status 0
    assert_value "select count(*) from schema_migrations" 1
    assert_value "select \"row\" ->> 'statements_done' from schema_migrations_log where action = 'clear'" 1
    psql_value "drop index a"
    printf -- '-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY a ON t (id);\nVACUUM t;\n' | migration 002_y
    run_pgmigrate apply
    assert_status 0
}

@test "repair --resume-at goes on at a statement" {
    half_run
    run_pgmigrate repair 2 --resume-at 5 --reason x
    assert_status 2
    assert_stderr "has no statement 5"
    run_pgmigrate repair 2 --resume-at 0 --reason x
    assert_status 2
    run_pgmigrate repair 2 --resume-at 3 --reason "not needed"
    assert_status 0
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '[.migrations[0].statements[].line] | map(tostring) | join(" ")')" 4
    assert_value "select state from schema_migrations where version = '002_y'" applied
}

@test "repair --resume-at refuses what apply would refuse" {
    half_run
    cp migrations/002_y.sql as_it_was
    sed -i 's/INDEX CONCURRENTLY a/INDEX CONCURRENTLY b/' migrations/002_y.sql
    run_pgmigrate repair 2 --resume-at 3 --reason "VACUUM is not needed"
    assert_status 6
    assert_stderr 'statement 1 of "002_y" was changed after it ran'
    assert_stderr "pgmigrate repair 002_y --clear"
    assert_value "select statements_done from schema_migrations where version = '002_y'" 1
    # From the beginning nothing of it has run.
    run_pgmigrate repair 2 --resume-at 1 --reason "dropped by hand"
    assert_status 0
    sed 1d as_it_was >migrations/002_y.sql
    run_pgmigrate repair 2 --resume-at 3 --reason "VACUUM is not needed"
    assert_status 2
    assert_stderr "cannot run inside a transaction"
    cp as_it_was migrations/002_y.sql
    run_pgmigrate repair 2 --resume-at 3 --reason "VACUUM is not needed"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
}

@test "repair --mark-applied ends a half-run script that was finished by hand" {
    half_run
    run_pgmigrate repair 2 --mark-applied --reason "finished by hand"
    assert_status 0
    assert_value "select state from schema_migrations where version = '002_y'" applied
    run_pgmigrate status --exit-code
    assert_status 0
}

@test "a half-run script whose file was renamed is told what helps, and that helps" {
    half_run
    mv migrations/002_y.sql migrations/002_z.sql
    run_pgmigrate plan
    assert_status 6
    assert_stderr 'migration "002_z" was called "002_y" when it stopped half way'
    assert_stderr "Give the file its old name: what is left of it has not run."
    refute_stderr "--accept-checksum"
    run_pgmigrate repair 002_y --mark-applied --reason "finished by hand"
    assert_status 0
    assert_value "select string_agg(version || ' ' || state, ',' order by version) from schema_migrations" \
        "001_x applied,002_z baseline"
    run_pgmigrate status --exit-code
    assert_status 0
}

@test "a half-run script whose file was renamed is forgotten by either name" {
    for name in 002_y 002_z; do
        psql_value "drop table if exists t, schema_migrations, schema_migrations_log"
        rm -rf migrations
        half_run
        mv migrations/002_y.sql migrations/002_z.sql
        run_pgmigrate repair "$name" --mark-rolled-back --reason "undone by hand"
        assert_status 0
        assert_output "002_y: marked as rolled back"
    done
}

@test "what has no file cannot be marked as applied, and is told why" {
    half_run
    rm migrations/*
    run_pgmigrate repair 2 --mark-applied --reason x
    assert_status 6
    assert_stderr '"002_y" stopped half way, so that it cannot be taken as applied'
    assert_stderr "Restore its file"
    run_pgmigrate repair 1 --mark-applied --reason x
    assert_status 6
    assert_stderr '"001_x" is applied already'
    run_pgmigrate repair 3 --mark-applied --reason x
    assert_status 2
    assert_stderr 'there is no migration "3"'
}

@test "of a rollback that stopped half way repair says that rollback goes on" {
    echo 'CREATE TABLE t (id int); CREATE INDEX i ON t (id);' | migration 001_x
    printf -- '-- pgmigrate: no-transaction\nDROP INDEX CONCURRENTLY i;\nVACUUM nothing;\nDROP TABLE t;\n' |
        migration 001_x_rollback
    pgmigrate apply
    run_pgmigrate rollback --accept-data-loss
    assert_status 7
    run_pgmigrate baseline 1
    assert_status 6
    assert_stderr '"001_x" was rolled back half way'
    refute_stderr "--clear"
    run_pgmigrate repair 1 --resume-at 3 --reason "no such table"
    assert_status 0
    assert_output "001_x: the next rollback goes on at that statement"
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
}

@test "only half-run scripts are cleared or resumed, and their checksum is not accepted" {
    half_run
    run_pgmigrate repair 1 --clear --reason x
    assert_status 6
    assert_stderr "did not stop half way"
    run_pgmigrate repair 1 --resume-at 1 --reason x
    assert_status 6
    run_pgmigrate repair 2 --accept-checksum --reason x
    assert_status 6
    assert_stderr "stopped half way"
    assert_value "select count(*) from schema_migrations_log where action in ('clear', 'resume_at', 'accept_checksum')" 0
}

@test "repair of what is not there creates nothing" {
    echo 'SELECT 1;' | migration 001_x
    run_pgmigrate repair 1 --clear --reason x
    assert_status 6
    assert_stderr "no history to repair"
    run_pgmigrate repair 7 --mark-applied --reason x
    assert_status 2
    run_pgmigrate apply
    run_pgmigrate repair 7 --mark-rolled-back --reason x
    assert_status 2
    assert_stderr '"7"'
}

@test "repair works under the run lock" {
    echo 'SELECT 1;' | migration 001_x
    run_pgmigrate apply
    echo 'SELECT pg_sleep(20);' | migration 002_slow
    start_pgmigrate apply
    wait_until sleeping
    run_pgmigrate repair 1 --mark-rolled-back --reason x --wait-lock 0
    assert_status 5
    kill "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_value "select count(*) from schema_migrations" 1
}
