# SPDX-License-Identifier: PostgreSQL
# Nothing that a script leaves in its session reaches the next one.

load helpers

# What each script leaves, and a script that finds it if it is there.
leave() # STEM [DIRECTIVE]
{
    migration "$1" <<SQL
${2-}
CREATE TEMP TABLE passing (id int);
PREPARE plan AS SELECT 1;
DECLARE later CURSOR WITH HOLD FOR SELECT 1;
LISTEN news;
SELECT pg_advisory_lock(42), pg_advisory_lock(42), pg_advisory_lock_shared(-43), pg_advisory_lock(4, -2);
CREATE SEQUENCE counter_$1;
SELECT nextval('counter_$1');
SQL
}

look() # STEM
{
    migration "$1" <<'SQL'
CREATE TABLE IF NOT EXISTS seen (what text);
INSERT INTO seen SELECT 'temporary' WHERE to_regclass('pg_temp.passing') IS NOT NULL;
INSERT INTO seen SELECT 'prepared' FROM pg_prepared_statements WHERE from_sql;
INSERT INTO seen SELECT 'cursor' FROM pg_cursors WHERE is_holdable;
INSERT INTO seen SELECT 'lock ' || mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid IN (42, 4294967253, 4294967294);
DO $$ BEGIN
    PERFORM lastval();
    INSERT INTO seen VALUES ('value');
EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;
END $$;
SQL
}

seen()
{
    psql_value "select string_agg(what, ',' order by what) from seen"
}

@test "tables, statements, cursors, channels, locks and values of a script end with it" {
    leave 001_leave
    look 002_look
    leave 003_leave
    look 004_look
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(seen)" ""
    refute_stderr "don't own a lock"
}

@test "they end with it in a batch, too" {
    leave 001_leave
    look 002_look
    leave 003_leave
    look 004_look
    run_pgmigrate apply --batch 8
    assert_status 0
    assert_equal "$(seen)" ""
}

@test "they end with a script without transaction, before and after one" {
    leave 001_leave
    migration 002_bare <<'SQL'
-- pgmigrate: no-transaction
CREATE TABLE found AS SELECT to_regclass('pg_temp.passing') IS NOT NULL
    OR EXISTS (SELECT FROM pg_cursors WHERE is_holdable)
    OR (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) > 2 AS any; -- the run lock and its witness
SQL
    leave 003_leave "-- pgmigrate: no-transaction"
    sed -i '/^DECLARE/d' migrations/003_leave.sql
    look 004_look
    run_pgmigrate apply
    assert_status 0
    assert_value "select * from found" f
    assert_equal "$(seen)" ""
}

@test "what a function has left, whose words are not in the script, ends with the script as well" {
    psql_value "create function leave() returns void language plpgsql as \$\$
        begin create temp table passing (id int); execute 'prepare plan as select 1';
        execute 'declare later cursor with hold for select 1'; end \$\$"
    migration 001_call <<<'SELECT leave();'
    look 002_look
    migration 003_call <<<'SELECT leave();'
    migration 004_call <<<'SELECT leave();'
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(seen)" ""
}

@test "they end with a rollback script, too, and with its trial" {
    psql_value "create table gone (what text)"
    migration 001_a <<<'CREATE TABLE a (id int);'
    look 001_a_rollback
    sed -i 's/seen/found/g' migrations/001_a_rollback.sql
    psql_value "create table found (what text)"
    migration 002_b <<<'CREATE TABLE b (id int);'
    leave 002_b_rollback
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate rollback --steps 2
    assert_status 0
    assert_value "select string_agg(what, ',') from found" ""
}

@test "an attempt that lost against a table lock does not keep what it left from the next attempt" {
    psql_value "create table busy (id int)"
    migration 001_a <<'SQL'
SELECT pg_advisory_lock(42);
CREATE TABLE locks AS SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = 42;
ALTER TABLE busy ADD COLUMN x int;
SQL
    migration 002_b <<<"INSERT INTO locks SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = 42;"
    hold locker "lock table busy"
    start_pgmigrate apply --json
    wait_until grep -q "retr" background.err
    release locker
    wait_pgmigrate
    assert_status 0
    [ "$(json '.migrations[0].attempts')" -gt 1 ]
    assert_value "select string_agg(count::text, ',' order by count) from locks" "0,1"
}

@test "a channel is listened to until the next script has begun, and no longer" {
    migration 001_a <<<'LISTEN news;'
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 003_c <<<'CREATE TABLE c AS SELECT count(*) FROM pg_listening_channels();'
    migration 004_d <<<"-- pgmigrate: no-transaction
LISTEN news;"
    migration 005_e <<<"-- pgmigrate: no-transaction
INSERT INTO c SELECT count(*) FROM pg_listening_channels();"
    run_pgmigrate apply
    assert_status 0
    assert_value "select string_agg(count::text, ',') from c" "0,0"
}
