# SPDX-License-Identifier: PostgreSQL
# A COMMIT whose answer was lost: what the server did is found out, whatever has happened since.

load helpers
load faults

# A table that waits when it loses a row, at COMMIT, for rollbacks.
slow_undo() # [SECONDS]
{
    slow_commit "$@"
    psql_value "drop trigger slow on slow; insert into slow values (1);
        create constraint trigger slow_undo after delete on slow deferrable initially deferred
            for each row execute function slow()"
}

# Interruptible, as a shell's background children are not.
start_interruptible() # ARGUMENT…
{
    env --default-signal=INT pgmigrate "$@" </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
}

# Cut off at COMMIT, with no way back until show_server.
cut_at_commit()
{
    wait_until committing
    hide_server
    cut_the_answer
}

@test "a COMMIT is confirmed by the log where another run has taken the row away meanwhile" {
    slow_commit
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply -d "$CUT_URL" --json
    cut_at_commit
    wait_until psql_true "select to_regclass('a') is not null"
    psql_value "delete from schema_migrations"
    show_server
    wait_pgmigrate
    assert_status 0
    assert_equal "$(json '.migrations[0].state')" applied
    assert_stderr "confirmed after reconnecting"
}

@test "a COMMIT that is confirmed after reconnecting is told like any other" {
    slow_commit
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply -d "$CUT_URL"
    cut_at_commit
    wait_until psql_true "select to_regclass('a') is not null"
    show_server
    wait_pgmigrate
    assert_status 0
    assert_stderr "applied 001_a"
    migration 001_a_rollback <<<'DROP TABLE a; DELETE FROM slow;'
    psql_value "drop trigger slow on slow; delete from go;
        create constraint trigger slow_undo after delete on slow deferrable initially deferred
            for each row execute function slow()"
    start_pgmigrate rollback --use=file -d "$CUT_URL" --accept-data-loss
    cut_at_commit
    wait_until psql_true "select to_regclass('a') is null"
    show_server
    wait_pgmigrate
    assert_status 0
    assert_stderr "rolled back 001_a"
}

@test "a COMMIT is confirmed by the transaction's status where the history is gone" {
    slow_commit
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply -d "$CUT_URL" --json
    cut_at_commit
    wait_until psql_true "select to_regclass('a') is not null"
    psql_value "drop table schema_migrations, schema_migrations_log"
    show_server
    wait_pgmigrate
    assert_status 0
    assert_stderr "confirmed after reconnecting"
}

@test "a COMMIT that left no trace is unknown: a crashed server gives its number to another" {
    slow_commit
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply -d "$CUT_URL" --json
    cut_at_commit
    wait_until psql_true "select to_regclass('a') is not null"
    psql_value "set session_replication_role = replica; delete from schema_migrations; delete from schema_migrations_log"
    show_server
    wait_pgmigrate
    assert_status 8
    assert_stderr "not known"
}

@test "a rollback whose COMMIT was undone is told so, though another run has taken the row since" {
    slow_undo 30
    start_cutter
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a; DELETE FROM slow;'
    run_pgmigrate apply
    assert_status 0
    start_pgmigrate rollback -d "$CUT_URL" --accept-data-loss --json
    wait_until committing
    hide_server
    terminate
    wait_until no_session
    psql_value "delete from schema_migrations"
    show_server
    wait_pgmigrate
    assert_status 4
    assert_stderr "rolled back"
    assert_equal "$(json '.migrations[0].state')" failed
    assert_value "select to_regclass('a') is not null" t
}

@test "a rollback whose COMMIT was done is confirmed, though another run has applied it again since" {
    slow_undo
    start_cutter
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a; DELETE FROM slow;'
    run_pgmigrate apply
    assert_status 0
    start_pgmigrate rollback -d "$CUT_URL" --accept-data-loss --json
    cut_at_commit
    wait_until psql_true "select to_regclass('a') is null"
    run_pgmigrate apply
    assert_status 0
    show_server
    wait_pgmigrate
    assert_status 0
    assert_equal "$(json '.migrations[0].state')" rolled_back
}

three_applied()
{
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
    migration 003_c <<<'CREATE TABLE c (id int);'
    migration 003_c_rollback <<<'DROP TABLE c; DELETE FROM slow;'
    run_pgmigrate apply
    assert_status 0
}

# Run the command that the hint names.
run_hint()
{
    local command
    command=$(grep -o 'pgmigrate rollback --[a-z].*' background.err | sed 's/ (.*//; s/"$//')
    echo "the hint is: $command" >&2
    # shellcheck disable=SC2086 # the words of a command
    run_pgmigrate ${command#pgmigrate }
}

@test "a connection lost after one of two steps back was committed: the hint goes back one more, not two" {
    slow_undo
    three_applied
    start_cutter
    start_pgmigrate rollback --steps 2 -d "$CUT_URL" --accept-data-loss --json
    cut_at_commit
    wait_until psql_true "select to_regclass('c') is null"
    show_server
    wait_pgmigrate
    assert_status 4
    assert_stderr "pgmigrate rollback --to 001_a --accept-data-loss"
    assert_equal "$(json '[.migrations[].state] | join(",")')" rolled_back,applied
    run_hint
    assert_status 0
    assert_value "select string_agg(version, ',') from schema_migrations" 001_a
}

@test "a connection lost in the last step back to nothing: the hint goes back to nothing" {
    slow_undo 30
    three_applied
    start_cutter
    start_pgmigrate rollback --steps 3 -d "$CUT_URL" --accept-data-loss
    wait_until committing
    terminate
    wait_pgmigrate
    assert_status 4
    assert_stderr "pgmigrate rollback --to 0 --accept-data-loss"
    psql_value "drop trigger slow_undo on slow"
    run_hint
    assert_status 0
    assert_value "select count(*) from schema_migrations" 0
}

@test "steps that are left after a failure are told where there is no version to name" {
    migration 000_z <<<'CREATE TABLE z (id int);'
    migration 000_z_rollback <<<'DROP TABLE z;'
    slow_undo 0
    three_applied
    refuse_at_commit
    psql_value "update schema_migrations set rollback_text = 'DROP TABLE b; UPDATE refuses SET id = 2;' where version = '002_b'"
    run pgmigrate rollback --steps 4 --accept-data-loss
    echo "$output" >background.err
    assert_status 1
    assert_output "pgmigrate rollback --steps 3 --accept-data-loss"
    psql_value "drop trigger refuses on refuses"
    run_hint
    assert_status 0
    assert_value "select count(*) from schema_migrations" 0
}

@test "SIGINT and a connection lost at COMMIT: what the server did is found out, and it ends with 130" {
    slow_commit
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    migration 002_b <<<'CREATE TABLE b (id int);'
    start_interruptible apply -d "$CUT_URL" --json
    wait_until committing
    hide_server
    kill -INT "$PGMIGRATE_PID"
    cut_the_answer
    wait_until psql_true "select to_regclass('a') is not null"
    show_server
    wait_pgmigrate
    assert_status 130
    assert_equal "$(json '[.migrations[].state] | join(",")')" applied,pending
    assert_stderr "1 of 2 applied"
}

@test "SIGTERM and a connection lost at COMMIT that the server undid ends with 143 and nothing applied" {
    slow_commit 30
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply -d "$CUT_URL" --json
    wait_until committing
    hide_server
    kill -TERM "$PGMIGRATE_PID"
    terminate
    wait_until no_session
    show_server
    wait_pgmigrate
    assert_status 143
    assert_equal "$(json '.migrations[0].state')" failed
    assert_stderr "0 of 1 applied"
}

# What the log says of failures, newest last.
failures()
{
    psql_value "select coalesce(string_agg(action || ' ' || version, ' ' order by at), '') from schema_migrations_log
        where action ~ 'failed' and detail ~ 'terminating connection' and run_id is not null"
}

# Run until it sleeps, and end its session there.
terminate_sleeping() # ARGUMENT…
{
    start_pgmigrate "$@"
    wait_until sleeping
    terminate
    wait_pgmigrate
}

@test "an attempt that lost its connection is in the log like any other that failed" {
    psql_value "create sequence s start 1"
    migration 001_a <<<'CREATE TABLE a (id int); SELECT pg_sleep(30);'
    terminate_sleeping apply
    assert_status 4
    assert_equal "$(failures)" "failed 001_a"
    migration 001_a <<<'CREATE TABLE a (id int);'
    # The first run of this script is the trial.
    migration 001_a_rollback <<<"DROP TABLE a; SELECT CASE WHEN nextval('s') > 1 THEN pg_sleep(30) END;"
    run_pgmigrate apply
    terminate_sleeping rollback
    assert_status 4
    assert_equal "$(failures)" "failed 001_a rollback_failed 001_a"
    # The row of a script without transaction goes on saying that it is not known what became of the statement.
    migration 002_b <<<$'-- pgmigrate: no-transaction\nDO $$ BEGIN PERFORM pg_sleep(30); END $$;'
    terminate_sleeping apply
    assert_status 7
    assert_equal "$(failures)" "failed 001_a rollback_failed 001_a failed 002_b"
    assert_value "select state, statement_started from schema_migrations where version = '002_b'" "running|0"
}

@test "a COMMIT that the server undid is in the log as failed, one whose outcome is unknown is not" {
    slow_commit 30
    migration 001_a <<<'INSERT INTO slow VALUES (1);'
    start_pgmigrate apply
    wait_until committing
    terminate
    wait_pgmigrate
    assert_status 4
    assert_equal "$(failures)" "failed 001_a"
    assert_equal "$(grep -c "^failed *001_a$" <<<"$stderr")" 1
    start_cutter
    start_pgmigrate apply -d "$CUT_URL"
    cut_at_commit
    wait_until psql_true "select exists (select from schema_migrations)"
    psql_value "set session_replication_role = replica; delete from schema_migrations;
        delete from schema_migrations_log where action = 'applied'"
    show_server
    wait_pgmigrate
    assert_status 8
    assert_value "select count(*) from schema_migrations_log" 1
}
