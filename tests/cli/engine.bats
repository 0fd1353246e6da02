# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# The connection under a run, tried with what a hostile script or a hostile moment does to it.

load helpers

# How much memory the last command took at most, in kB: `measured pgmigrate apply`.
measured() # COMMAND…
{
    status=0
    /usr/bin/time -f %M -o kilobytes "$@" >background.out 2>background.err </dev/null || status=$?
    output=$(cat background.out)
    stderr=$(cat background.err)
    kilobytes=$(tail -n 1 kilobytes)
}

# A login that may only take a role's place, and the role; both go away with the test.
login_with_role()
{
    TEST_ROLE=${TEST_DATABASE}_role
    TEST_LOGIN=${TEST_DATABASE}_login
    psql_server "create role $TEST_ROLE; create role $TEST_LOGIN login noinherit; grant $TEST_ROLE to $TEST_LOGIN"
    psql_value "grant create on schema public to $TEST_ROLE"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$TEST_LOGIN")
}

teardown()
{
    test_teardown
    drop_test_database
    [ -z "${TEST_LOGIN-}" ] || psql_server "drop role $TEST_LOGIN; drop role $TEST_ROLE"
}

@test "SIGINT ends a statement that never stops sending notices" {
    migration 001_a <<<'DO $$ BEGIN LOOP RAISE NOTICE $m$again$m$; END LOOP; END $$;'
    start_pgmigrate apply
    wait_until grep -q again background.err
    kill -INT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 130
    assert_stderr "rolled back"
}

@test "SIGINT ends a script of very many short statements" {
    { echo 'CREATE TABLE a (id int);'; yes 'SELECT 1;' | head -n 300000; } | migration 001_a
    start_pgmigrate apply
    wait_until psql_true "select exists (select from pg_stat_activity where datname = current_database()
                                         and query = 'SELECT 1')"
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
    assert_value "select to_regclass('a') is null" t
}

@test "SIGINT ends COPY data, and no part of them is kept" {
    # Slow enough to be seen, whatever the machine.
    psql_value "create function slow() returns trigger language plpgsql as
        'begin if random() < 0.01 then perform pg_sleep(0.1); end if; return new; end'"
    { printf 'CREATE TABLE a (id text);\n'
      printf 'CREATE TRIGGER slow BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION slow();\nCOPY a FROM stdin;\n'
      yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -n 100000
      printf '\\.\n'; } | migration 001_a
    start_pgmigrate apply
    wait_until session "query ~* '^copy' and wait_event = 'PgSleep'"
    kill -INT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 130
    assert_value "select to_regclass('a') is null" t
}

@test "a million rows that nobody asked for do not fill the client's memory" {
    migration 001_a <<<"SELECT g, repeat('x', 100) FROM generate_series(1, 1000000) g;"
    migration 002_b <<'SQL'
CREATE TABLE b (id int);
SELECT g, repeat('x', 100) FROM generate_series(1, 500000) g;
COPY b FROM stdin;
1
\.
SQL
    measured pgmigrate apply
    assert_status 0
    [[ -n ${TEST_SANITIZED-} || $kilobytes -lt 40000 ]] || { echo "$kilobytes kB" >&2; return 1; }
}

@test "a long script of statements that return rows is neither held in memory nor stuck" {
    yes "SELECT repeat('y', 1000);" | head -n 50000 | migration 001_a
    measured pgmigrate apply
    assert_status 0
    [[ -n ${TEST_SANITIZED-} || $kilobytes -lt 60000 ]] || { echo "$kilobytes kB" >&2; return 1; }
}

@test "temporary tables and prepared statements of one migration are not found by the next" {
    for version in 001_a 002_b 003_c; do
        migration $version <<<'CREATE TEMP TABLE work AS SELECT 1; PREPARE ask AS SELECT 1; EXECUTE ask;'
    done
    printf -- '-- pgmigrate: no-transaction\nCREATE TEMP TABLE work AS SELECT 1;\n' | migration 004_d
    run_pgmigrate apply
    assert_status 0
    psql_value "truncate schema_migrations"
    run_pgmigrate apply --batch 8
    assert_status 0
}

@test "what one migration sets for the session's transactions is not what the next one begins with" {
    migration 001_a <<<'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;'
    migration 002_b <<<"CREATE TABLE b AS SELECT current_setting('transaction_isolation') AS level;"
    migration 003_c <<<'SET default_transaction_read_only = on;'
    migration 004_d <<<'CREATE TABLE d (id int);'
    for batch in 1 8; do
        run_pgmigrate apply --batch $batch
        assert_status 0
        assert_value "select level from b" "read committed"
        psql_value "drop table b, d; truncate schema_migrations"
    done
}

@test "a changed client_encoding is refused before it spoils the stored text" {
    migration 001_a <<<"SET client_encoding = 'LATIN1'; CREATE TABLE a AS SELECT 'ä'::text AS letter;"
    run_pgmigrate apply
    assert_status 1
    assert_stderr "client_encoding"
    assert_value "select to_regclass('a') is null" t
    migration 001_a <<<"SET client_encoding = 'UTF8'; CREATE TABLE a AS SELECT 'ä'::text AS letter;"
    run_pgmigrate apply
    assert_status 0
    assert_value "select forward_text like '%ä%' from schema_migrations" t
}

@test "a migration whose history row does not arrive is not committed" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    run_pgmigrate apply
    psql_value "create function drop_it() returns trigger language plpgsql as 'begin return null; end'"
    psql_value "create trigger drop_it before insert on schema_migrations for each row execute function drop_it()"
    migration 002_b <<<'CREATE TABLE b (id int);'
    for batch in 1 4; do
        run_pgmigrate apply --batch $batch
        assert_status 1
        assert_stderr "robbed of the row"
        assert_value "select to_regclass('b') is null" t
    done
}

@test "a role that the login does not inherit reads and writes the history" {
    login_with_role
    migration 001_a <<<'CREATE TABLE a (id int);'
    run_pgmigrate apply --role "$TEST_ROLE"
    assert_status 0
    migration 002_b <<<'CREATE TABLE b (id int);'
    run_pgmigrate apply --role "$TEST_ROLE"
    assert_status 0
    assert_output "1 of 1 applied"
    PGMIGRATE_ROLE=$TEST_ROLE run_pgmigrate status
    assert_status 0
    assert_output "2 applied"
}

@test "a COMMIT that is lost while working as a role is settled" {
    login_with_role
    migration 001_a <<'SQL'
CREATE TABLE slow (id int);
CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow_commit();
INSERT INTO slow VALUES (1);
SQL
    start_pgmigrate apply --role "$TEST_ROLE"
    wait_until psql_true "select exists (select from pg_stat_activity where usename = '$TEST_LOGIN'
                                         and query ~* '^commit' and wait_event = 'PgSleep')"
    psql_server "select pg_terminate_backend(pid) from pg_stat_activity where usename = '$TEST_LOGIN'"
    wait_pgmigrate
    assert_status 4
    assert_stderr "rolled back"
}

@test "a server that went away before COMMIT was reached leaves no doubt" {
    start_own_cluster
    migration 001_a <<<'CREATE TABLE a (id int); SELECT pg_sleep(60);'
    start_pgmigrate apply
    wait_until sleeping
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null
    wait_pgmigrate
    assert_status 4
    assert_stderr "COMMIT had not been reached"
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
}

@test "a blocker is named through a pooler that keeps sessions, too" {
    psql_value "create table a (id int)"
    start_pgbouncer session
    migration 001_a <<<'ALTER TABLE a ADD b int;'
    psql -XAtq -d "$DIRECT_URL" -c "begin; lock a; select pg_sleep(60)" >/dev/null 2>&1 3>&- &
    wait_until session "wait_event = 'PgSleep'"
    start_pgmigrate apply --pooler=session
    wait_until grep -q "blocked by pid" background.err
    psql -XAtq -d "$DIRECT_URL" -c "select pg_terminate_backend(pid) from pg_stat_activity
        where wait_event = 'PgSleep' and datname = current_database()" >/dev/null
    wait_pgmigrate
    assert_status 0
}

@test "a table that somebody has locked does not hold up a look at the history" {
    psql_value "create table a (id int)"
    psql -XAtq -d "$DATABASE_URL" -c "begin; lock a; select pg_sleep(60)" >/dev/null 3>&- &
    wait_until psql_true "select exists (select from pg_stat_activity where wait_event = 'PgSleep'
                                         and datname = current_database())"
    migration 001_a <<<'CREATE TABLE b (id int);'
    run --separate-stderr timeout 10 pgmigrate status
    assert_status 0
    run --separate-stderr timeout 10 pgmigrate apply
    assert_status 0
}

@test "of several hosts one that does not answer is passed over" {
    # Connections that nobody accepts fill the queue; after them SYNs are dropped, as by a host that is off.
    perl -MIO::Socket::INET -e '
        my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die $!;
        listen $listener, 0 or die $!;
        my @full = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $listener->sockport, Blocking => 0) } 1 .. 4;
        $| = 1;
        print $listener->sockport, "\n";
        sleep 300' >port 3>&- &
    wait_until test -s port
    migration 001_a <<<'CREATE TABLE a (id int);'
    local socket
    socket=$(printf '%s\n' "$TEST_SERVER_URL" | sed 's/.*[?&]host=\([^&]*\).*/\1/; s/%2[Cc]/,/g')
    DATABASE_URL="host=127.0.0.1,$socket port=$(cat port),5432 connect_timeout=2 user=postgres dbname=$TEST_DATABASE" \
        run_pgmigrate status
    assert_status 0
    DATABASE_URL="host=127.0.0.1 port=$(cat port) connect_timeout=2 user=postgres dbname=$TEST_DATABASE" \
        run_pgmigrate status
    assert_status 4
    assert_stderr "timeout expired"
}
