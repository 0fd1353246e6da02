# SPDX-License-Identifier: PostgreSQL

load helpers

three_migrations()
{
    echo 'CREATE TABLE a (id int);' | migration 001_a
    echo 'DROP TABLE a;' | migration 001_a_rollback
    echo 'CREATE TABLE b (id int);' | migration 002_b
    echo 'DROP TABLE b;' | migration 002_b_rollback
    echo 'CREATE TABLE c (id int);' | migration 003_c
    echo 'DROP TABLE c;' | migration 003_c_rollback
}

# The states of all migrations, in order.
states()
{
    json '[.migrations[] | .version[:3] + " " + .state] | join(", ")'
}

@test "status shows what is applied and what is pending" {
    three_migrations
    run_pgmigrate apply --to 2
    assert_status 0
    run_pgmigrate status
    assert_status 0
    [[ ${lines[0]} =~ ^version\ +state\ +applied\ at\ \(UTC\)\ +ms\ +by$ ]]
    [[ ${lines[1]} =~ ^001_a\ +applied\ +20[-0-9]+\ [:0-9]+\ +[0-9]+\ +postgres$ ]]
    [[ ${lines[3]} =~ ^003_c\ +pending$ ]]
    assert_output "2 applied, 1 pending on postgres@[local]/$TEST_DATABASE"
    assert_equal "$stderr" ""
    run_pgmigrate info
    assert_status 0
}

@test "status changes nothing and creates nothing" {
    three_migrations
    run_pgmigrate status
    assert_status 0
    assert_output "3 pending"
    assert_value "select count(*) from pg_class where relnamespace = 'public'::regnamespace" 0
    run_pgmigrate status --json
    assert_equal "$(json .history.shape)" absent
}

@test "status gives the fields of the contract as JSON" {
    three_migrations
    run_pgmigrate apply --to 1
    run_pgmigrate status --json
    assert_status 0
    assert_equal "$(json '[.schema, .command, .ok, .exit_code] | join(" ")')" "1 status true 0"
    assert_equal "$(states)" "001 applied, 002 pending, 003 pending"
    assert_equal "$(json '.migrations[0] | [.version, .description, .transactional, .has_rollback] | join(" ")')" \
        "001_a a true true"
    assert_equal "$(json '.migrations[0].checksum | length')" 64
    [[ $(json '.migrations[0].applied_at') =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$ ]]
    [[ $(json '.migrations[0].execution_ms') =~ ^[0-9]+$ ]]
    assert_equal "$(json '.migrations[1].applied_at')" null
    assert_equal "$(json '.counts | [.applied, .pending, .changed, .missing, .out_of_order, .failed] | join(" ")')" \
        "1 2 0 0 0 0"
    assert_equal "$(json .database)" "$TEST_DATABASE"
    [[ $(json .server_version) =~ ^[0-9.]+$ ]]
}

@test "status --exit-code tells pending migrations by 3" {
    three_migrations
    run_pgmigrate status --exit-code
    assert_status 3
    run_pgmigrate status --exit-code --json
    assert_status 3
    assert_equal "$(json .error.message)" "not all migrations are applied"
    assert_equal "$(json '[.ok, .exit_code] | join(" ")')" "false 3"
    run_pgmigrate status
    assert_status 0
    run_pgmigrate apply
    run_pgmigrate status --exit-code
    assert_status 0
}

@test "status names changed, missing and out-of-order files with their remedies" {
    three_migrations
    rm migrations/002_b*.sql
    run_pgmigrate apply
    echo 'CREATE TABLE b (id int);' | migration 002_b
    echo 'CREATE TABLE a (id bigint);' | migration 001_a
    rm migrations/003_c*.sql
    run_pgmigrate status --json
    assert_equal "$(states)" "001 changed, 002 out_of_order, 003 missing"
    run_pgmigrate status
    assert_status 0
    assert_output "1 changed, 1 missing, 1 out of order"
    assert_stderr "001_a was changed after it was applied"
    assert_stderr "--accept-checksum"
    assert_stderr "003_c was applied"
    assert_stderr "--accept-missing"
    assert_stderr "002_b is older than"
}

@test "status says who holds the run lock, and does not wait" {
    three_migrations
    echo 'SELECT pg_sleep(20);' | migration 004_slow
    start_pgmigrate apply
    wait_until sleeping
    run_pgmigrate status
    assert_status 0
    assert_output "the run lock is held by pid "
    run_pgmigrate status --json
    assert_equal "$(json '.run_lock | startswith("pid ")')" true
    kill "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
    run_pgmigrate status
    refute_output "run lock"
}

@test "status works where nothing can be written" {
    three_migrations
    run_pgmigrate apply --to 1
    psql_value "alter database $TEST_DATABASE set default_transaction_read_only = on"
    run_pgmigrate status --json
    assert_status 0
    assert_equal "$(states)" "001 applied, 002 pending, 003 pending"
    run_pgmigrate plan
    assert_status 0
    run_pgmigrate apply
    assert_status 4
    assert_stderr "read-only"
}

@test "status limits its warnings, and --verbose does not" {
    for number in $(seq -w 1 15); do
        echo 'SELECT 1;' | migration "0${number}_x"
    done
    run_pgmigrate status
    assert_equal "$(printf '%s\n' "$stderr" | grep -c 'no rollback script')" 10
    assert_stderr "5 more warnings"
    run_pgmigrate status -v
    assert_equal "$(printf '%s\n' "$stderr" | grep -c 'no rollback script')" 15
    run_pgmigrate status -q
    assert_equal "$stderr" ""
    assert_output "15 pending"
}

@test "an unreachable server is exit 4, told in the document too" {
    mkdir migrations
    run_pgmigrate status -d "postgresql://127.0.0.1:1/x" --json
    assert_status 4
    assert_equal "$(json '[.ok, .error.code] | join(" ")')" "false connection"
}

@test "a folder with mistakes is exit 2 before any connection" {
    echo 'SELECT 1;' | migration 001_a
    echo 'SELECT 1;' | migration 001_b
    run_pgmigrate status -d "postgresql://127.0.0.1:1/x"
    assert_status 2
    assert_stderr "001_a"
    assert_stderr "001_b"
}

@test "all mistakes of a folder are told at once, each once" {
    printf -- '-- pgmigrate: nonsense\nSELECT 1;\n' | migration 001_a
    printf -- '-- pgmigrate: rubbish\nSELECT 1;\n' | migration 002_b
    run_pgmigrate status
    assert_status 2
    assert_equal "$(printf '%s\n' "$stderr" | grep -c '^migrations/001_a.sql:1:')" 1
    assert_equal "$(printf '%s\n' "$stderr" | grep -c '^migrations/002_b.sql:1:')" 1
}

@test "in a protected environment what is to run needs a rollback, what has run does not" {
    printf '[environment production]\nprotected = yes\nrehearsal_max_age =\n' >pgmigrate.conf
    echo 'CREATE TABLE a ();' | migration 001_a
    run_pgmigrate plan --protected
    assert_status 2
    run_pgmigrate apply -e production --yes
    assert_status 2
    assert_stderr "migrations/001_a.sql: error: the migration has no rollback script"
    assert_stderr "irreversible"
    run_pgmigrate status -e production
    assert_status 0
    assert_stderr "migrations/001_a.sql: warning: the migration has no rollback script"
    run_pgmigrate plan -e production --rollback-required no
    assert_status 0
    # The folder of a database that was there before pgmigrate.
    run_pgmigrate baseline 001 -e production --yes
    assert_status 0
    echo 'CREATE TABLE b ();' | migration 002_b
    run_pgmigrate plan -e production
    assert_status 2
    assert_stderr "migrations/002_b.sql: error: the migration has no rollback script"
    echo 'DROP TABLE b;' | migration 002_b_rollback
    run_pgmigrate apply -e production --yes
    assert_status 0
    assert_output "1 of 1 applied"
    for command in status plan "repair 002_b --accept-checksum --reason x --yes" "rollback --yes"; do
        # shellcheck disable=SC2086 # words
        run_pgmigrate $command -e production
        assert_status 0
    done
}

@test "a half-run row that was written by hand names no statements" {
    migration 001_a <<<"create table a ();"
    pgmigrate apply -q
    psql_value "update schema_migrations set state = 'running'"
    run_pgmigrate status
    assert_status 0
    assert_stderr "001_a stopped half way"
}
