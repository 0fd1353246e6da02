# SPDX-License-Identifier: PostgreSQL
# Killed clients, lost connections, stopped servers: each has a defined outcome.

load helpers
load faults

@test "a client killed in the middle leaves neither changes nor a lock, and the next run applies" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 002_b <<<'CREATE TABLE b (id int); SELECT pg_sleep(4);'
    start_pgmigrate apply
    wait_until sleeping
    kill -KILL "$PGMIGRATE_PID"
    wait "$PGMIGRATE_PID" || true
    wait_until no_session
    assert_value "select string_agg(version, ',') from schema_migrations" 001_a
    assert_value "select to_regclass('b') is null" t
    migration 002_b <<<'CREATE TABLE b (id int);'
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from schema_migrations" 2
}

@test "a client killed at COMMIT leaves history and schema agreeing" {
    slow_commit
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply
    wait_until committing
    kill -KILL "$PGMIGRATE_PID"
    wait "$PGMIGRATE_PID" || true
    go
    wait_until no_session
    assert_value "select (select count(*) from schema_migrations) = (select count(*) from pg_class where relname = 'a')" t
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from schema_migrations" 1
}

@test "a connection lost at COMMIT that the server finished is confirmed after reconnecting" {
    slow_commit
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply -d "$CUT_URL" --json
    wait_until committing
    cut_the_answer
    wait_pgmigrate
    assert_status 0
    assert_equal "$(json '.migrations[0].state')" applied
    assert_stderr "confirmed after reconnecting"
    assert_value "select count(*) from schema_migrations" 1
}

@test "a connection lost at COMMIT that the server undid is told as rolled back" {
    slow_commit 30
    start_cutter
    migration 001_a <<<'INSERT INTO slow VALUES (1); CREATE TABLE a (id int);'
    start_pgmigrate apply -d "$CUT_URL" --json
    wait_until committing
    cut_connections
    wait_pgmigrate
    assert_status 4
    assert_stderr "rolled back"
    assert_equal "$(json '.migrations[0].state')" failed
    assert_value "select count(*) from schema_migrations" 0
    assert_value "select to_regclass('a') is null" t
}

@test "a connection lost inside a batch: what is committed counts, the rest is not touched" {
    start_cutter
    for n in 1 2 3 4; do migration "00${n}_x" <<<"CREATE TABLE x$n (id int);"; done
    migration 003_x <<<'CREATE TABLE x3 (id int); SELECT pg_sleep(30);'
    start_pgmigrate apply -d "$CUT_URL" --batch 8 --json
    wait_until sleeping
    cut_connections
    wait_pgmigrate
    assert_status 4
    assert_equal "$(json '[.migrations[].state] | join(",")')" "applied,applied,failed,pending"
    assert_value "select string_agg(version, ',' order by version) from schema_migrations" "001_x,002_x"
    assert_value "select to_regclass('x3') is null and to_regclass('x4') is null" t
}

@test "a server that does not answer keeps nobody who got a signal" {
    migration 001_a <<<'CREATE TABLE a (id int); SELECT pg_sleep(30);'
    start_pgmigrate apply
    wait_until sleeping
    stop_backend "wait_event = 'PgSleep'"
    kill -TERM "$PGMIGRATE_PID"
    wait_until eval '! kill -0 "$PGMIGRATE_PID"'
    kill -CONT "$BACKEND"
    wait_pgmigrate
    [ "$status" -eq 143 ] || assert_status 8
    [[ $stderr == *"terminated"* || $stderr == *"not known"* ]] || assert_stderr "what it says"
    wait_until no_session
    assert_value "select to_regclass('a') is null" t
}

@test "pg_terminate_backend while a statement runs, at COMMIT, and while the run lock is waited for" {
    migration 001_a <<<'CREATE TABLE a (id int); SELECT pg_sleep(30);'
    start_pgmigrate apply
    wait_until sleeping
    terminate
    wait_pgmigrate
    assert_status 4
    assert_stderr "rolled back"
    assert_value "select to_regclass('a') is null" t

    slow_commit 30
    migration 001_a <<<'CREATE TABLE a (id int); INSERT INTO slow VALUES (1);'
    start_pgmigrate apply
    wait_until committing
    terminate
    wait_pgmigrate
    assert_status 4
    assert_value "select to_regclass('a') is null" t

    migration 001_a <<<'SELECT pg_sleep(30);'
    start_pgmigrate apply
    wait_until sleeping
    pgmigrate apply --wait-lock 20 2>waiter.err &
    waiter=$!
    wait_until grep -q "run lock" waiter.err
    terminate
    wait_pgmigrate
    assert_status 4
    run wait "$waiter"
}

@test "a statement outside any transaction that is cut off stops with exit 7 and is taken up again" {
    migration 001_v <<'SQL'
-- pgmigrate: no-transaction
CREATE TABLE v (id int);
CREATE PROCEDURE nap() LANGUAGE plpgsql AS 'begin perform pg_sleep(30); end';
CALL nap();
INSERT INTO v VALUES (1);
SQL
    start_pgmigrate apply
    wait_until sleeping
    terminate
    wait_pgmigrate
    assert_status 7
    run_pgmigrate apply
    assert_status 7
    assert_stderr "001_v.sql:4:1"
    assert_stderr "--resume-at"
    psql_value "create or replace procedure nap() language sql as 'select 1'"
    run_pgmigrate repair 001_v --resume-at 3 --reason "looked: it had no effect"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from v" 1
    assert_value "select state, statements_done from schema_migrations" "applied|4"
}

@test "a server that is stopped in the middle: rolled back, and the run ends with exit 4" {
    start_own_cluster
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 002_b <<<'CREATE TABLE b (id int); SELECT pg_sleep(60);'
    start_pgmigrate apply
    wait_until sleeping
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
    wait_pgmigrate
    assert_status 4
    assert_stderr "rolled back"
    assert_value "select string_agg(version, ',') from schema_migrations" 001_a
    assert_value "select to_regclass('b') is null" t
}

@test "an outcome that cannot be asked for is told as unknown" {
    start_own_cluster
    slow_commit 60
    migration 001_a <<<'INSERT INTO slow VALUES (1);'
    start_pgmigrate apply
    wait_until committing
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null
    sleep 1
    kill -TERM "$PGMIGRATE_PID" # ends the minute of trying
    wait_pgmigrate
    assert_status 8
    assert_stderr "not known"
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
}

@test "SIGINT, SIGTERM and SIGHUP cancel on the server, roll back, and say what was done" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 002_b <<<'CREATE TABLE b (id int); SELECT pg_sleep(60);'
    migration 003_c <<<'CREATE TABLE c (id int);'
    for signal in INT:130 TERM:143 HUP:143; do
        # A shell's background children ignore SIGINT unless they are told otherwise.
        env --default-signal=INT,HUP pgmigrate apply --json </dev/null >background.out 2>background.err 3>&- &
        PGMIGRATE_PID=$!
        wait_until sleeping
        kill "-${signal%:*}" "$PGMIGRATE_PID"
        wait_pgmigrate
        assert_status "${signal#*:}"
        assert_equal "$(json '.error.message | sub("^(interrupted|terminated): . of . applied; "; "")')" \
            "002_b was interrupted and rolled back; 1 not reached"
        assert_stderr " of "
        wait_until no_session
        assert_value "select to_regclass('b') is null" t
        assert_value "select string_agg(version, ',') from schema_migrations" 001_a
    done
}

@test "a SIGHUP that nohup has ignored ends nothing" {
    migration 001_a <<<'SELECT pg_sleep(1); CREATE TABLE a (id int);'
    env --ignore-signal=HUP pgmigrate apply </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
    wait_until sleeping
    kill -HUP "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 0
    assert_value "select to_regclass('a') is not null" t
}

@test "a transaction pooler is refused; one that keeps sessions works when told so" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    start_pgbouncer transaction
    run_pgmigrate apply
    assert_status 4
    assert_stderr "pooler"
    assert_value "select to_regclass('a') is null" t
    stop_pgbouncer
    start_pgbouncer session
    run_pgmigrate apply
    assert_status 4
    run_pgmigrate apply --pooler=session
    assert_status 0
    assert_value "select count(*) from schema_migrations" 1
}

@test "a read-only database and a standby are refused by name" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    psql_value "alter database $TEST_DATABASE set default_transaction_read_only = on"
    run_pgmigrate apply
    assert_status 4
    assert_stderr "read-only"
    run_pgmigrate status
    assert_status 0
}

@test "no server, a wrong port and an unknown database are connection errors with what to do" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    run_pgmigrate apply -d "postgresql://postgres@/x?host=$BATS_TEST_TMPDIR"
    assert_status 4
    assert_stderr "No such file or directory"
    run_pgmigrate apply -d "$(database_url nothing_of_this_name)"
    assert_status 4
    assert_stderr 'database "nothing_of_this_name" does not exist'
}

@test "a full disk under the server is a failed migration that leaves nothing" {
    migration 001_a <<<"CREATE TABLE a (id int); SET LOCAL temp_file_limit = '64kB'; SELECT count(*) FROM (SELECT g FROM generate_series(1, 1000000) g ORDER BY random()) x;"
    run_pgmigrate apply
    assert_status 1
    assert_stderr "temp_file_limit"
    assert_value "select to_regclass('a') is null" t
}
