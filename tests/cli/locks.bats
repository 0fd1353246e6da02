# SPDX-License-Identifier: PostgreSQL
# Other sessions: the run lock, table locks, and what a migration must not do to them.

load helpers

@test "of two runs one applies, the other waits and finds nothing to do, while an index is built concurrently" {
    psql_value "create table t as select generate_series(1, 1000) as id"
    migration 001_c <<<'CREATE TABLE c (id int);'
    migration 002_i <<<$'-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (id);'
    # The build waits for the writer, and the writer goes when the second run waits for the first.
    hold writer "insert into t values (0)"
    start_pgmigrate apply --json
    wait_until building_index
    pgmigrate apply --json </dev/null >second.out 2>second.err 3>&- &
    local second=$!
    wait_until grep -q "the run lock is held by pid" second.err
    assert_equal "$(cat second.out)" ""
    release writer
    wait_pgmigrate
    assert_status 0
    assert_equal "$(json '[.migrations[].state] | join(",")')" "applied,applied"
    wait "$second"
    assert_equal "$(jq '.migrations | length' second.out)" 0
    assert_value "select indisvalid from pg_index where indexrelid = 'i'::regclass" t
}

@test "the run lock is waited for as long as --wait-lock says, and its holder is named" {
    migration 001_t <<<'SELECT pg_sleep(20);'
    start_pgmigrate apply
    wait_until run_lock_held
    run_pgmigrate apply --wait-lock 1 --json
    assert_status 5
    assert_equal "$(json '.error.code')" locked
    assert_stderr "pgmigrate"
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
}

@test "a history table that somebody has locked is not waited for without end, and who it is is told" {
    local command
    migration 001_t <<<'CREATE TABLE t (id int);'
    run_pgmigrate apply
    assert_status 0
    hold locker "lock table schema_migrations"
    for command in apply plan; do
        run_pgmigrate "$command" --json
        assert_status 5
        assert_equal "$(json '.error.code')" locked
        assert_stderr 'the history table "public.schema_migrations" is locked'
        assert_stderr "Reading it was blocked by pid "
    done
    release locker
}

@test "nor is a locked log" {
    migration 001_t <<<'CREATE TABLE t (id int);'
    migration 001_t_rollback <<<'DROP TABLE t;'
    run_pgmigrate apply
    assert_status 0
    hold locker "lock table schema_migrations_log"
    run_pgmigrate history --json
    assert_status 5
    assert_stderr 'the history table "public.schema_migrations_log" is locked'
    assert_stderr "Reading it was blocked by pid "
    run_pgmigrate status
    assert_status 0
    migration 002_u <<<'CREATE TABLE u (id int);'
    run_pgmigrate apply --max-wait 1
    assert_status 5
    assert_stderr "last blocked by pid"
    run_pgmigrate rollback --max-wait 1
    assert_status 5
    assert_stderr "last blocked by pid"
    migration 001_t <<<'CREATE TABLE t (id bigint);'
    run_pgmigrate repair 1 --accept-checksum --reason "same"
    assert_status 5
    assert_stderr 'the history table "public.schema_migrations_log" is locked'
    assert_stderr "Changing it was blocked by pid "
    release locker
    assert_value "select string_agg(version, ' ') from schema_migrations" 001_t
}

@test "a table that was there first is not adopted while somebody reads it, and nobody waits long behind that" {
    psql_value "create table schema_migrations (version varchar(50) primary key, applied_at timestamp default now())"
    migration 001_t <<<'CREATE TABLE t (id int);'
    hold reader "select count(*) from schema_migrations"
    run_pgmigrate apply
    assert_status 5
    assert_stderr 'the history table "public.schema_migrations" is locked'
    assert_stderr "Changing it was blocked by pid "
    assert_stderr "(hold_reader, user postgres"
    release reader
    run_pgmigrate apply
    assert_status 0
}

@test "the progress of a no-transaction script waits for a locked history as long as for any table" {
    psql_value "create table go ()"
    migration 001_x <<'SQL'
-- pgmigrate: no-transaction
DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;
CREATE TABLE x (id int);
SQL
    start_pgmigrate apply --max-wait 1
    wait_until sleeping
    hold locker "lock table schema_migrations"
    psql_value "insert into go default values"
    wait_pgmigrate
    assert_status 7
    assert_stderr 'the history table "public.schema_migrations" is locked'
    assert_stderr "Changing it was blocked by pid "
    release locker
    run_pgmigrate repair 1 --resume-at 2 --reason "it had ended"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('x') is not null" t
}

@test "two histories in one database do not wait for each other" {
    migration 001_t <<<'SELECT pg_sleep(20);'
    start_pgmigrate apply
    wait_until run_lock_held
    mkdir other
    echo 'CREATE TABLE o (id int);' >other/001_o.sql
    run_pgmigrate apply -m other --history-table other.history --wait-lock 0
    assert_status 0
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
}

@test "a script's own lock_timeout does not make others wait behind it" {
    psql_value "create table t (id int)"
    migration 001_a <<'SQL'
SET statement_timeout = 0;
SET lock_timeout = 0;
SELECT set_config('lock_timeout', '0', false);
RESET ALL;
ALTER TABLE t ADD COLUMN c int;
SQL
    migration 002_b <<'SQL'
-- pgmigrate: no-transaction
SET lock_timeout = 0;
ALTER TABLE t ADD COLUMN d int;
VACUUM FULL t;
SQL
    run_pgmigrate check
    assert_output "001_a.sql:2:1: notice: a lock_timeout that a script sets does not count"
    assert_output "001_a.sql:3:1: notice: a lock_timeout"
    refute_output "001_a.sql:4:1"
    hold reader "select count(*) from t"
    run_pgmigrate apply --max-wait 1
    assert_status 5
    assert_stderr "001_a.sql:5:1"
    release reader
    run_pgmigrate apply --to 001_a
    assert_status 0
    hold reader "select count(*) from t"
    run_pgmigrate apply --max-wait 1
    assert_status 7
    assert_stderr "002_b.sql:3:1"
    release reader
    sed -i '/ADD COLUMN d/d' migrations/002_b.sql
    hold reader "select count(*) from t"
    run_pgmigrate apply --max-wait 1
    assert_status 7
    assert_stderr "002_b.sql:3:1"
}

@test "a table lock is waited for in short attempts, and the blocker is named" {
    psql_value "create table t (id int)"
    migration 001_c <<<'ALTER TABLE t ADD COLUMN c int;'
    hold reader "select count(*) from t"
    start_pgmigrate apply --json
    wait_until grep -q "blocked by pid" background.err
    wait_until grep -q "retr" background.err
    release reader
    wait_pgmigrate
    assert_status 0
    [ "$(json '.migrations[0].attempts')" -gt 1 ]
    assert_value "select count(*) from pg_attribute where attrelid = 't'::regclass and attname = 'c'" 1
}

@test "readers are not held up for longer than the lock timeout" {
    psql_value "create table t (id int)"
    migration 001_c <<<'ALTER TABLE t ADD COLUMN c int;'
    hold reader "select count(*) from t"
    start_pgmigrate apply --lock-timeout 100
    wait_until grep -q retry: background.err
    # Were the ALTER in the queue for good, this would wait for the holder, which never ends.
    for i in 1 2 3 4 5; do
        PGOPTIONS="-c statement_timeout=5s" psql -XAtq -d "$DATABASE_URL" -c "select count(*) from t" >/dev/null
        sleep 0.2
    done
    release reader
    wait_pgmigrate
    assert_status 0
}

@test "--max-wait bounds all attempts together, and nothing is left" {
    psql_value "create table t (id int)"
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 002_c <<<'CREATE TABLE b (id int); ALTER TABLE t ADD COLUMN c int;'
    hold reader "select count(*) from t"
    run_pgmigrate apply --max-wait 4 --json
    assert_status 5
    assert_equal "$(json '.error.code, .error.sqlstate')" "$(printf 'locked\n55P03')"
    assert_stderr "blocked by pid"
    release reader
    assert_value "select to_regclass('a') is not null, to_regclass('b') is null" "t|t"
    assert_value "select string_agg(version, ',') from schema_migrations" 001_a
}

@test "a lock that cannot be had inside a batch is tried again, and the rest follows" {
    psql_value "create table t (id int)"
    for n in 1 2 3; do migration "00${n}_x" <<<"CREATE TABLE x$n (id int);"; done
    migration 002_x <<<'ALTER TABLE t ADD COLUMN c int;'
    hold reader "select count(*) from t"
    start_pgmigrate apply --batch 8
    wait_until grep -q "retr" background.err
    release reader
    wait_pgmigrate
    assert_status 0
    assert_value "select string_agg(version, ',' order by sequence) from schema_migrations" "001_x,002_x,003_x"
}

@test "a deadlock is tried again" {
    psql_value "create table a (id int); create table b (id int); create sequence attempt"
    # The first attempt goes on when the other session has b.
    migration 001_d <<'SQL'
LOCK TABLE a;
DO $$
BEGIN
    IF nextval('attempt') = 1 THEN
        WHILE NOT EXISTS (SELECT FROM pg_locks WHERE relation = 'b'::regclass AND granted) LOOP
            PERFORM pg_sleep(0.05);
        END LOOP;
    END IF;
END $$;
LOCK TABLE b;
CREATE TABLE done (id int);
SQL
    start_pgmigrate apply --lock-timeout 0
    wait_until psql_true "select count(*) > 0 from pg_locks where relation = 'a'::regclass and granted"
    psql_value "set deadlock_timeout = '60s'; begin; lock table b; lock table a; commit" &
    wait_pgmigrate
    assert_status 0
    assert_stderr "deadlock"
    assert_value "select to_regclass('done') is not null" t
}

@test "CREATE INDEX CONCURRENTLY is not cut off by the short lock timeout" {
    psql_value "create table t as select generate_series(1, 100) as id"
    migration 001_i <<<$'-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (id);'
    hold writer "insert into t values (0)"
    start_pgmigrate apply --lock-timeout 100
    wait_until building_index
    sleep 1
    release writer
    wait_pgmigrate
    assert_status 0
    refute_stderr retry:
    assert_value "select indisvalid from pg_index where indexrelid = 'i'::regclass" t
}

@test "who blocks is told again after the connection that looks was ended" {
    psql_value "create table t (id int)"
    migration 001_c <<<'ALTER TABLE t ADD COLUMN c int;'
    hold reader "select count(*) from t"
    start_pgmigrate apply --lock-timeout 0
    wait_until grep -q "blocked by pid" background.err
    psql_value "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'pgmigrate'
        and datname = current_database() and query ~ 'pg_blocking_pids'"
    before=$(wc -l <background.err)
    wait_until sh -c "tail -n +$((before + 1)) background.err | grep 'blocked by pid'"
    release reader
    wait_pgmigrate
    assert_status 0
}

@test "who blocked one migration is not named for the next" {
    psql_value "create table t (id int); create table u (id int)"
    migration 001_t <<<'ALTER TABLE t ADD COLUMN c int;'
    migration 002_u <<<"DO \$\$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = 'lock_not_available'; END \$\$;"
    hold reader "select count(*) from t"
    start_pgmigrate apply --max-wait 9
    wait_until grep -q "blocked by pid" background.err
    release reader
    wait_pgmigrate
    assert_status 5
    assert_stderr "1 of 2 applied"
    assert_stderr "Given up after"
    [[ $stderr != *"last blocked by"* ]]
}

@test "what a role may not see of the sessions of others is left out, not zero" {
    local role=${TEST_DATABASE}_r url
    migration 001_t <<<'CREATE TABLE t (id int);'
    run_pgmigrate apply
    psql_value "create role $role login; grant all on all tables in schema public to $role; alter table t owner to $role;
        grant select on all sequences in schema public to $role"
    url=$(database_url "$TEST_DATABASE" "$role")
    migration 002_c <<<'ALTER TABLE t ADD COLUMN c int;'
    hold reader "select count(*) from t"
    run_pgmigrate apply --max-wait 1 -d "$url"
    release reader
    local applied=$status:$stderr told
    migration 002_c <<<'SELECT pg_sleep(20);'
    start_pgmigrate apply
    wait_until sleeping
    run_pgmigrate status -d "$url"
    told=$output
    run_pgmigrate status -d "$url" --json
    told+=$'\n'$(json .run_lock)
    kill "$PGMIGRATE_PID"
    wait "$PGMIGRATE_PID" || true
    psql_value "drop owned by $role; drop role $role"
    [[ $applied =~ ^5:.*'last blocked by pid '[0-9]+' (hold_reader, user postgres).' ]]
    [[ $told =~ 'held by pid '[0-9]+$' (pgmigrate, user postgres)\npid '[0-9]+' (pgmigrate, user postgres)'$ ]]
}
