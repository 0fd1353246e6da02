# SPDX-License-Identifier: PostgreSQL
# Scripts that cannot run in a transaction: progress, taking up again, and what failed index builds leave.

load helpers

# Write a no-transaction migration, its statements from stdin.
bare() # STEM
{
    { echo "-- pgmigrate: no-transaction"; cat; } | migration "$1"
}

# A table t with 100 rows, of which two have the same d.
table_t()
{
    psql_value "create table t as select id, case when id = 2 then 1 else id end as d from generate_series(1, 100) as id"
}

valid() # INDEX
{
    psql_value "select indisvalid from pg_index where indexrelid = to_regclass('$1')"
}

# Leave an INVALID index bad on t (d).
invalid_index()
{
    run psql -XAtq -d "$DATABASE_URL" -c "create unique index concurrently bad on t (d)"
    assert_equal "$(valid bad)" f
}

# The server ends the session of the pgmigrate that runs; or that one is killed first.
end_session()
{
    psql_value "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgmigrate' and datname = current_database()" >/dev/null
}

kill_pgmigrate()
{
    kill -KILL "$PGMIGRATE_PID"
    wait_pgmigrate
    end_session
    wait_until no_session
}

progress()
{
    psql_value "select state, statements_done, statements_total, statement_started from schema_migrations where version = '001_x'"
}

@test "statements run one by one, and the row says how far it came" {
    table_t
    bare 001_x <<'SQL'
CREATE INDEX CONCURRENTLY i ON t (id);
VACUUM t;
SELECT state, statements_done, statements_total INTO seen FROM schema_migrations;
REINDEX INDEX CONCURRENTLY i;
SQL
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '[.migrations[0].statements[].line] | map(tostring) | join(" ")')" "2 3 4 5"
    assert_value "select * from seen" "running|2|4"
    assert_equal "$(progress)" "applied|4|4|"
    assert_value "select transactional from schema_migrations" f
}

@test "a script that adds its own row to the history is told what to do about it, and that helps" {
    bare 001_x <<'SQL'
CREATE TABLE a (id int);
VACUUM a;
INSERT INTO schema_migrations (version) VALUES ('001_x');
SQL
    run_pgmigrate apply
    assert_status 7
    assert_stderr "take the INSERT out, or add ON CONFLICT DO NOTHING, and apply again"
    sed -i "s/('001_x')/('001_x') ON CONFLICT DO NOTHING/" migrations/001_x.sql
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(progress)" "applied|3|3|"
}

@test "a stopped script goes on at the statement that failed, once it is mended" {
    bare 001_x <<'SQL'
CREATE TABLE a (id int);
ALTER TABLE nothing ADD COLUMN b int;
CREATE TABLE c (id int);
SQL
    run_pgmigrate apply --json
    assert_status 7
    assert_equal "$(json '.error.code, .error.line')" "$(printf 'partial\n3')"
    assert_stderr "1 of 3 statements are done"
    assert_equal "$(progress)" "failed|1|3|"
    run_pgmigrate status --json
    assert_equal "$(json '.migrations[0].state, .counts.failed')" "$(printf 'failed\n1')"
    run_pgmigrate status
    assert_stderr "stopped at statement 2 of 3"

    bare 001_x <<'SQL'
CREATE TABLE a (id int);
ALTER TABLE a ADD COLUMN b int;
CREATE TABLE c (id int);
CREATE TABLE d (id int);
SQL
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '[.migrations[0].statements[].line] | map(tostring) | join(" ")')" "3 4 5"
    assert_equal "$(progress)" "applied|4|4|"
    assert_value "select string_agg(action, ' ' order by at) from schema_migrations_log" "failed applied"
}

@test "that a script was out of order is kept when it is taken up again" {
    migration 002_y <<<'SELECT 1;'
    run_pgmigrate apply
    bare 001_x <<<'CREATE TABLE a (id int); CREATE TABLE b (id nothing);'
    run_pgmigrate apply --out-of-order
    assert_status 7
    bare 001_x <<<'CREATE TABLE a (id int); CREATE TABLE b (id int);'
    run_pgmigrate apply
    assert_status 0
    assert_value "select string_agg(version || ' ' || out_of_order, ',' order by version) from schema_migrations" \
        "001_x true,002_y false"
}

@test "what ran must be unchanged, but for comments and white space" {
    bare 001_x <<'SQL'
CREATE TABLE a (id int);
CREATE TABLE b (id nothing);
SQL
    run_pgmigrate apply
    assert_status 7
    bare 001_x <<'SQL'
CREATE TABLE a (id bigint);
CREATE TABLE b (id int);
SQL
    run_pgmigrate apply --json
    assert_status 6
    assert_equal "$(json '.error.code, .error.line')" "$(printf 'conflict\n2')"
    assert_stderr "statement 1"
    assert_stderr "--clear"
    assert_equal "$(progress)" "failed|1|2|"
    migration 001_x <<<'-- pgmigrate: no-transaction'
    run_pgmigrate apply
    assert_status 6
    bare 001_x <<'SQL'
-- the same
CREATE TABLE a (id int);

CREATE TABLE b (id int);
SQL
    run_pgmigrate apply
    assert_status 0
}

@test "a failure at the first statement is no half-run" {
    bare 001_x <<<'VACUUM nothing; CREATE TABLE a (id int);'
    run_pgmigrate apply
    assert_status 1
    run_pgmigrate status
    assert_stderr "stopped in statement 1 of 2"
    bare 001_x <<<'CREATE TABLE a (id int);'
    run_pgmigrate apply
    assert_status 0
}

@test "an index that a failed build left is dropped, and built again on the next run" {
    table_t
    bare 001_x <<<'CREATE UNIQUE INDEX CONCURRENTLY i ON t (d);'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "could not create unique index"
    assert_stderr "dropping the INVALID index"
    assert_equal "$(valid i)" ""
    psql_value "update t set d = 0 where id = 2"
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(valid i)" t
}

@test "an INVALID index that was there before is refused, on the second run too" {
    table_t
    invalid_index
    bare 001_x <<<'CREATE INDEX CONCURRENTLY bad ON t (d);'
    for run in 1 2; do
        run_pgmigrate apply
        assert_status 1
        assert_stderr 'index public.bad is already there and INVALID'
        assert_stderr "DROP INDEX CONCURRENTLY public.bad"
        assert_equal "$(valid bad)" f
    done
    psql_value "drop index bad"
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(valid bad)" t
}

@test "IF NOT EXISTS over an INVALID index is an error" {
    table_t
    invalid_index
    bare 001_x <<<'CREATE INDEX CONCURRENTLY IF NOT EXISTS bad ON t (d);'
    for run in 1 2; do
        run_pgmigrate apply
        assert_status 1
        assert_stderr INVALID
    done
}

@test "a valid index of that name is an error on the second run as on the first" {
    table_t
    psql_value "create index i on t (id)"
    bare 001_x <<<'CREATE INDEX CONCURRENTLY i ON t (d);'
    for run in 1 2; do
        run_pgmigrate apply
        assert_status 1
        assert_stderr 'relation "i" already exists'
    done
}

@test "a build whose client is killed is taken up again" {
    table_t
    bare 001_x <<<'CREATE TABLE a (id int); CREATE INDEX CONCURRENTLY i ON t (id); CREATE TABLE b (id int);'
    hold holder "insert into t values (0, 0)"
    start_pgmigrate apply
    wait_until building_index
    # A client that is stopped is to the server what a dead one is before it has noticed.
    kill -STOP "$PGMIGRATE_PID"
    assert_equal "$(progress)" "running|1|3|1"
    run_pgmigrate status
    assert_stderr "is running, 1 of 3 statements are done"
    kill -KILL "$PGMIGRATE_PID"
    wait_pgmigrate
    psql_value "select pg_terminate_backend(pid) from pg_stat_progress_create_index where datname = current_database()" >/dev/null
    release holder
    wait_until no_session
    assert_equal "$(valid i)" f
    run_pgmigrate apply
    assert_status 0
    assert_stderr "dropping the INVALID index"
    assert_equal "$(valid i)" t
    assert_equal "$(progress)" "applied|3|3|"
}

@test "a build that the server finished without its client is not repeated" {
    table_t
    bare 001_x <<<'CREATE INDEX CONCURRENTLY i ON t (id); CREATE TABLE b (id int);'
    hold holder "insert into t values (0, 0)"
    start_pgmigrate apply
    wait_until building_index
    kill -STOP "$PGMIGRATE_PID"
    release holder
    wait_until psql_true "select indisvalid from pg_index where indexrelid = 'i'::regclass"
    kill -KILL "$PGMIGRATE_PID"
    wait_pgmigrate
    wait_until no_session
    assert_equal "$(progress)" "running|0|2|0"
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(valid i)" t
}

@test "an interrupted build ends at once, though the drop of its index would have to wait" {
    table_t
    bare 001_x <<<'CREATE INDEX CONCURRENTLY i ON t (id);'
    hold holder "insert into t values (0, 0)"
    start_pgmigrate apply
    wait_until building_index
    kill -INT "$PGMIGRATE_PID"
    WAIT_SECONDS=10 wait_until no_session
    wait_pgmigrate
    assert_status 130
    release holder
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(valid i)" t
}

@test "a CALL whose connection is lost: it is said that its outcome is not known" {
    psql_value "create procedure nap() language plpgsql as 'begin perform pg_sleep(30); end'"
    bare 001_x <<<$'CREATE TABLE a (id int);\nCALL nap();\nCREATE TABLE b (id int);'
    start_pgmigrate apply
    wait_until sleeping
    end_session
    wait_pgmigrate
    assert_status 7
    assert_stderr "1 of 3 statements are done and stay so; whether the next one is, is not known"
    refute_stderr "goes on with the next one"
}

@test "a CALL whose client is killed stops with exit 7 until somebody looked" {
    psql_value "create procedure nap() language plpgsql as 'begin perform pg_sleep(30); end'"
    bare 001_x <<<$'CREATE TABLE a (id int);\nCALL nap();\nCREATE TABLE b (id int);'
    start_pgmigrate apply
    wait_until sleeping
    run_pgmigrate plan # while it runs there is nothing to look at
    assert_status 0
    kill_pgmigrate
    psql_value "create or replace procedure nap() language sql as 'create table called (id int)'"
    for command in plan apply apply; do
        run_pgmigrate "$command"
        assert_status 7
        assert_stderr "001_x.sql:3:1"
        assert_stderr "--resume-at 3"
        assert_stderr "--resume-at 2"
        assert_value "select to_regclass('called') is null" t
    done
    run_pgmigrate repair 1 --resume-at 2 --reason "looked: it had no effect"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('called') is not null and to_regclass('b') is not null" t
}

@test "a CALL that failed is run again without asking" {
    psql_value "create procedure p() language plpgsql as 'begin raise exception ''not yet''; end'"
    bare 001_x <<<'CREATE TABLE a (id int); CALL p();'
    run_pgmigrate apply
    assert_status 7
    assert_stderr "not yet"
    psql_value "create or replace procedure p() language sql as 'select 1'"
    run_pgmigrate apply
    assert_status 0
}

@test "a procedure may commit" {
    psql_value "create procedure p() language plpgsql as 'begin create table one (id int); commit; create table two (id int); end'"
    bare 001_x <<<'CALL p(); DO $$ BEGIN CREATE TABLE three (id int); COMMIT; END $$;'
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('one') is not null and to_regclass('two') is not null and to_regclass('three') is not null" t
}

@test "BEGIN and COMMIT make a group that is done whole or not at all" {
    bare 001_x <<'SQL'
BEGIN ISOLATION LEVEL SERIALIZABLE;
CREATE TABLE a (id int);
CREATE TABLE iso AS SELECT current_setting('transaction_isolation') AS level;
COMMIT;
BEGIN;
CREATE TABLE b (id int);
CREATE TABLE c (id nothing);
COMMIT;
SQL
    run_pgmigrate apply
    assert_status 7
    assert_stderr "001_x.sql:8:"
    assert_equal "$(progress)" "failed|4|8|"
    assert_value "select to_regclass('a') is not null and to_regclass('b') is null" t
    assert_value "select level from iso" serializable
    sed -i 's/nothing/int/' migrations/001_x.sql
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('b') is not null and to_regclass('c') is not null" t
}

@test "the statements of the list run: VACUUM, ALTER SYSTEM, CREATE DATABASE, DETACH PARTITION CONCURRENTLY" {
    psql_value "create table p (id int) partition by range (id);
        create table p1 partition of p for values from (1) to (9); create table t (id int); create index ti on t (id)"
    bare 001_x <<SQL
VACUUM (ANALYZE) t;
ALTER SYSTEM SET log_min_duration_statement = -1;
ALTER SYSTEM RESET log_min_duration_statement;
CREATE DATABASE ${TEST_DATABASE}_other;
DROP DATABASE ${TEST_DATABASE}_other;
REINDEX TABLE CONCURRENTLY t;
DROP INDEX CONCURRENTLY ti;
ALTER TYPE kind ADD VALUE 'new';
SQL
    psql_value "create type kind as enum ('old')"
    if [ "$(server_major)" -ge 14 ]; then
        echo "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;" >>migrations/001_x.sql
    fi
    run_pgmigrate apply
    assert_status 0
    assert_value "select state from schema_migrations" applied
}

@test "settings made in the file hold for the rest of it, also when it is taken up again, and for no other" {
    table_t
    bare 001_x <<'SQL'
SET search_path = app, public;
SET work_mem = '7MB';
CREATE SCHEMA app;
CREATE TABLE u AS SELECT current_setting('work_mem') AS mem;
CALL see(1);
VACUUM u;
ALTER TABLE u ADD COLUMN x nothing;
CALL see(2);
SQL
    psql_value "create table public.seen (n int, mem text, path text);
        create procedure public.see(n int) language sql as \$\$
            insert into public.seen values (n, current_setting('work_mem'), current_setting('search_path')) \$\$"
    run_pgmigrate apply
    assert_status 7
    assert_value "select mem from app.u" 7MB
    sed -i 's/nothing/int/' migrations/001_x.sql
    migration 002_y <<<'CALL see(3);'
    run_pgmigrate apply
    assert_status 0
    assert_value "select n, mem, path from seen where n < 3 order by n" "1|7MB|app, public
2|7MB|app, public"
    assert_value "select path <> 'app, public' and mem <> '7MB' from seen where n = 3" t
}

@test "temporary tables and prepared statements last for the file, and no longer" {
    bare 001_x <<'SQL'
CREATE TEMP TABLE passing AS SELECT 1 AS one;
PREPARE p AS SELECT 1;
VACUUM passing;
CREATE TABLE kept AS SELECT one FROM passing;
DEALLOCATE p;
PREPARE p AS SELECT 1;
SQL
    bare 002_y <<<"CREATE TABLE y AS SELECT to_regclass('pg_temp.passing') IS NULL AS gone;"
    run_pgmigrate apply
    assert_status 0
    assert_value "select one, gone from kept, y" "1|t"
}

@test "the role directive does not keep the failure from being recorded" {
    psql_value "do \$\$ begin create role bare_role; exception when duplicate_object then null; end \$\$;
        create table t (id int); alter table t owner to bare_role"
    printf -- '-- pgmigrate: no-transaction, role=bare_role\nVACUUM t;\nVACUUM nothing;\n' | migration 001_x
    run_pgmigrate apply
    assert_status 7
    assert_equal "$(progress)" "failed|1|2|1"
    assert_value "select action from schema_migrations_log" failed
}

@test "a lock timeout applies to plain statements and to VACUUM, not to CONCURRENTLY" {
    table_t
    bare 001_x <<<'CREATE INDEX CONCURRENTLY i ON t (id); ALTER TABLE t ADD COLUMN c int;'
    hold holder "insert into t values (0, 0)"
    start_pgmigrate apply --max-wait 2 --json
    wait_until building_index
    sleep 2.5
    kill -0 "$PGMIGRATE_PID"
    release holder
    wait_until psql_true "select indisvalid from pg_index where indexrelid = to_regclass('i')"
    wait_pgmigrate
    assert_status 0

    bare 002_y <<<'VACUUM FULL t;'
    hold holder "select count(*) from t"
    run_pgmigrate apply --max-wait 1
    assert_status 5
    assert_stderr "blocked by pid"
    release holder
    run_pgmigrate apply
    assert_status 0
}

@test "indexes that a failed REINDEX CONCURRENTLY left are dropped, others are told" {
    table_t
    psql_value "create unique index i on t (id)"
    bare 001_x <<<'REINDEX INDEX CONCURRENTLY i;'
    hold holder "insert into t values (1000, 0)"
    start_pgmigrate apply
    wait_until psql_true "select count(*) > 0 from pg_class where relname = 'i_ccnew'"
    psql_value "select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'pgmigrate' and datname = current_database()" >/dev/null
    wait_pgmigrate
    assert_status 7
    release holder
    wait_until no_session
    assert_equal "$(valid i_ccnew)" f
    run_pgmigrate apply
    assert_status 0
    assert_stderr "i_ccnew"
    assert_equal "$(valid i)" t
    assert_value "select count(*) from pg_index where not indisvalid" 0
}

@test "what a failed build without a name left is dropped, and nothing that was there before" {
    table_t
    psql_value "insert into t select 1, 1 from generate_series(1, 2); update t set id = 1"
    psql_true "select count(*) > 1 from t"
    psql -Xq -d "$DATABASE_URL" -c "create unique index concurrently theirs on t (id)" 2>/dev/null || true
    bare 001_x <<<'CREATE UNIQUE INDEX CONCURRENTLY ON t (id);'
    for _ in 1 2; do
        run_pgmigrate apply
        assert_status 1
        assert_stderr "dropping the INVALID index public.t_id_idx"
        assert_value "select string_agg(indexrelid::regclass::text, ' ') from pg_index where indrelid = 't'::regclass" theirs
    done
}

@test "a script that stopped half way may not become a transactional one" {
    table_t
    bare 001_x <<<$'UPDATE t SET id = id + 10;\nCREATE INDEX CONCURRENTLY i ON t (nosuch);'
    run_pgmigrate apply
    assert_status 7
    before=$(psql_value "select sum(id) from t")
    migration 001_x <<<$'UPDATE t SET id = id + 10;\nCREATE INDEX i ON t (id);'
    run_pgmigrate apply
    assert_status 6
    assert_stderr '"001_x" stopped half way, and its script has become a transactional one'
    assert_equal "$(psql_value "select sum(id) from t")" "$before"
    # Nor one that was cut off in its first statement, of which nobody knows what it did.
    psql_value "update schema_migrations set state = 'running', statements_done = 0, statement_started = 0"
    run_pgmigrate apply
    assert_status 6
    assert_stderr "0 statements have run, and the next one may have."
}

@test "a half-run script whose file is gone is not taken as applied" {
    table_t
    bare 001_x <<<$'UPDATE t SET id = id + 10;\nCREATE INDEX CONCURRENTLY i ON t (nosuch);'
    run_pgmigrate apply
    assert_status 7
    rm migrations/001_x.sql
    run_pgmigrate status --json
    assert_equal "$(json '.migrations[] | "\(.state) \(.message)"')" \
        "missing stopped in statement 2 of 2, and has no file in the folder"
    run_pgmigrate status --exit-code
    assert_status 3
    run_pgmigrate apply
    assert_status 6
    assert_stderr "Restore the file from version control: what is left of it has not run."
    run_pgmigrate repair 001_x --accept-missing --reason gone
    assert_status 6
    assert_stderr "stopped half way, so that it cannot be taken as applied"
    run_pgmigrate repair 001_x --mark-rolled-back --reason undone
    assert_status 0
}

@test "what ran of a script and was changed is told before anything runs, by plan, too" {
    table_t
    bare 002_x <<<$'UPDATE t SET id = id + 10;\nCREATE INDEX CONCURRENTLY i ON t (nosuch);'
    run_pgmigrate apply
    assert_status 7
    bare 002_x <<<$'UPDATE t SET id = id + 20;\nCREATE INDEX CONCURRENTLY i ON t (id);'
    migration 001_before <<<'CREATE TABLE before_it (id int);'
    run_pgmigrate plan --out-of-order
    assert_status 6
    assert_stderr 'statement 1 of "002_x" was changed after it ran'
    run_pgmigrate apply --out-of-order
    assert_status 6
    assert_value "select to_regclass('before_it') is null" t
}

@test "a cancelled build is cleaned up without the script's statement_timeout; what is in the way of that stays, exit 7" {
    table_t
    hold reader "set transaction isolation level repeatable read; select count(*) from t"
    bare 001_i <<<'CREATE INDEX CONCURRENTLY i ON t (id);'
    sed -i '1s/$/, statement_timeout=300ms/' migrations/001_i.sql
    run_pgmigrate apply
    assert_status 7
    assert_stderr "could not be dropped (canceling statement due to lock timeout); the next run tries again"
    assert_value "select indisvalid from pg_index where indexrelid = 'i'::regclass" f
    run_pgmigrate plan
    refute_stderr "already there and INVALID"
    # The next run begins with dropping it; how long it waits is counted from then on.
    start_pgmigrate apply
    wait_until grep -q "(waited [0-9.]* s)" background.err
    release reader
    wait_pgmigrate
    assert_status 0
    assert_value "select indisvalid from pg_index where indexrelid = 'i'::regclass" t
}

@test "an index without a name is built, and not twice when the outcome is unknown" {
    table_t
    bare 001_x <<<'CREATE INDEX CONCURRENTLY ON t (id);'
    hold holder "insert into t values (0, 0)"
    start_pgmigrate apply
    wait_until building_index
    kill -STOP "$PGMIGRATE_PID"
    release holder
    wait_until psql_true "select indisvalid from pg_index where indexrelid = to_regclass('t_id_idx')"
    kill -KILL "$PGMIGRATE_PID"
    wait_pgmigrate
    wait_until no_session
    run_pgmigrate apply
    assert_status 7
    assert_stderr "--resume-at 2"
    run_pgmigrate repair 1 --resume-at 2 --reason "it is there"
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from pg_index where indrelid = 't'::regclass" 1
}

@test "DROP INDEX CONCURRENTLY whose outcome is unknown counts as done when the index is gone" {
    table_t
    psql_value "create index i on t (id)"
    bare 001_x <<<'DROP INDEX CONCURRENTLY i;'
    hold holder "insert into t values (0, 0)"
    start_pgmigrate apply
    wait_until session "application_name = 'pgmigrate' and query ~* '^drop index' and wait_event_type = 'Lock'"
    kill -STOP "$PGMIGRATE_PID"
    release holder
    wait_until psql_true "select to_regclass('i') is null"
    kill -KILL "$PGMIGRATE_PID"
    wait_pgmigrate
    wait_until no_session
    run_pgmigrate apply
    assert_status 0
    bare 002_y <<<'DROP INDEX CONCURRENTLY i;'
    for run in 1 2; do
        run_pgmigrate apply
        assert_status 1
    done
}

@test "DISCARD ALL, which would give up the run lock, is refused before anything runs" {
    bare 001_x <<<'CREATE TABLE a (id int); DISCARD ALL;'
    run_pgmigrate apply
    assert_status 2
    assert_stderr "001_x.sql:2:26"
    assert_stderr "Leave it out"
    assert_value "select to_regclass('a') is null" t
    bare 001_x <<<'CREATE TABLE a (id int); RESET ALL; DISCARD TEMP; DEALLOCATE ALL;'
    run_pgmigrate apply
    assert_status 0
}

@test "a statement that needs no-transaction is refused without it, and check says so" {
    migration 001_x <<<'CREATE INDEX CONCURRENTLY i ON t (id);'
    run_pgmigrate apply
    assert_status 2
    assert_stderr "001_x.sql:1:1"
    assert_stderr no-transaction
    run_pgmigrate check
    assert_status 3
    assert_output no-transaction
}

# ---- rollback scripts ----

# An applied migration 001_x with a no-transaction rollback script, its statements from stdin.
bare_undo() # FORWARD
{
    migration 001_x <<<"$1"
    bare 001_x_rollback
    run_pgmigrate apply
    assert_status 0
}

@test "a rollback script without a transaction runs, and its row goes" {
    bare_undo 'CREATE TABLE t (id int); CREATE INDEX i ON t (id);' <<<'DROP INDEX CONCURRENTLY i; DROP TABLE t;'
    run_pgmigrate rollback --json
    assert_status 0
    assert_equal "$(json '.migrations[0] | .state, (.statements | length)')" "$(printf 'rolled_back\n2')"
    assert_value "select count(*) from schema_migrations" 0
    assert_value "select string_agg(action, ' ' order by id) from schema_migrations_log" "applied rolled_back"
}

# Stop it at the second statement of three.
half_undone()
{
    psql_value "create table other (id int); create index held on other (id)"
    bare_undo 'CREATE TABLE a (id int); CREATE TABLE b (id int);' <<<$'DROP TABLE a;\nREINDEX INDEX CONCURRENTLY held;\nDROP TABLE b;'
    psql_value "drop index held"
    psql_value "update schema_migrations set applied_at = '2026-01-02 03:04:05+00', applied_by = 'somebody', execution_ms = 86400"
    run_pgmigrate rollback --json
    assert_status 7
    assert_equal "$(json '.error.code, .error.line')" "$(printf 'partial\n3')"
}

@test "a half-run rollback that fails again says that what was done stays" {
    half_undone
    run_pgmigrate rollback
    [ "$status" != 0 ]
    refute_stderr "Nothing was rolled back"
}

@test "the time of a rollback is that of all of its statements" {
    bare_undo 'SELECT 1;' <<<$'SELECT pg_sleep(0.3);\nSELECT 2;'
    run_pgmigrate rollback --json
    assert_status 0
    assert_equal "$(json '.migrations[0].execution_ms')" \
        "$(psql_value "select execution_ms from schema_migrations_log where action = 'rolled_back' and execution_ms >= 300")"
}

@test "a rollback that stopped half way is told, and goes on where it stopped" {
    half_undone
    assert_stderr "1 of 3 statements are done"
    assert_stderr "rolling back again goes on"
    assert_equal "$(progress)" "undoing|1|3|"
    assert_value "select action from schema_migrations_log order by id desc limit 1" rollback_failed
    run_pgmigrate status --json
    assert_equal "$(json '.migrations[0].state')" failed
    run_pgmigrate status
    assert_stderr "rolled back half way: 1 of 3 statements"
    run_pgmigrate apply
    assert_status 6
    assert_stderr "rolled back half way"
    psql_value "create index held on other (id)"
    run_pgmigrate rollback --json
    assert_status 0
    assert_equal "$(json '.migrations[0].statements | length')" 2
    assert_value "select to_regclass('a') is null and to_regclass('b') is null" t
    assert_value "select count(*) from schema_migrations" 0
}

@test "the rest of a rollback may be mended in the file, what ran may not" {
    half_undone
    bare 001_x_rollback <<<$'DROP TABLE IF EXISTS a;\nDROP TABLE b;'
    run_pgmigrate rollback --use=file
    assert_status 6
    assert_stderr "statement 1"
    migration 001_x_rollback <<<$'DROP TABLE a;\nDROP TABLE b;'
    run_pgmigrate rollback --use=file
    assert_status 6
    assert_stderr "transactional"
    bare 001_x_rollback <<<$'DROP TABLE a;\nDROP TABLE b;'
    run_pgmigrate rollback --use=file
    assert_status 0
    assert_value "select count(*) from schema_migrations" 0
}

@test "a half rolled back migration is repaired by hand" {
    half_undone
    run_pgmigrate repair 1 --clear --reason x
    assert_status 6
    assert_stderr "--mark-rolled-back"
    run_pgmigrate repair 1 --accept-checksum --reason x
    assert_status 6
    run_pgmigrate repair 1 --resume-at 3 --reason "no such index"
    assert_status 0
    assert_equal "$(progress)" "undoing|2|3|"
    run_pgmigrate rollback
    assert_status 0
    assert_value "select to_regclass('b') is null" t
}

@test "what a half rollback took may be put back by hand" {
    half_undone
    psql_value "create table a (id int)"
    run_pgmigrate repair 1 --mark-applied --reason "put it back"
    assert_status 0
    assert_value "select applied_at at time zone 'UTC', applied_by, execution_ms, statements_done is null, statements_total is null,
        statement_hashes is null from schema_migrations" "2026-01-02 03:04:05|somebody|86400|t|t|t"
    run_pgmigrate status --json
    assert_equal "$(json '.migrations[0].state')" applied
    psql_value "create index held on other (id)"
    run_pgmigrate rollback
    assert_status 0
    assert_value "select to_regclass('a') is null and to_regclass('b') is null" t
}

@test "a rollback whose client is killed in a CALL stops with exit 7 until somebody looked" {
    bare_undo 'CREATE TABLE a (id int);' <<<$'DROP TABLE a;\nCALL nap();'
    psql_value "create procedure nap() language plpgsql as 'begin commit; perform pg_sleep(30); end'"
    start_pgmigrate rollback --accept-data-loss
    wait_until sleeping
    kill_pgmigrate
    assert_equal "$(progress)" "undoing|1|2|1"
    run_pgmigrate rollback --accept-data-loss
    assert_status 7
    assert_stderr "--resume-at 3"
    run_pgmigrate repair 1 --resume-at 3 --reason "it was done"
    assert_status 0
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select count(*) from schema_migrations" 0
}

# Five of six statements of 001_x are done; its rollback script is from stdin.
five_of_six()
{
    bare 001_x_rollback
    bare 001_x <<'EOF'
CREATE TABLE t (id int, n int);
INSERT INTO t VALUES (1, 1), (2, 1);
VACUUM t;
UPDATE t SET n = n + 1;
VACUUM t;
CREATE UNIQUE INDEX CONCURRENTLY tn ON t (n);
EOF
    run_pgmigrate apply
    assert_status 7
    assert_equal "$(progress)" "failed|5|6|5"
}

# The duplicate is mended, and apply needs the sixth statement only.
goes_on_with_the_sixth()
{
    assert_equal "$(progress)" "failed|5|6|5"
    psql_value "update t set n = id"
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '.migrations[0].statements | length')" 1
    assert_equal "$(valid tn)" t
}

@test "a rollback that did nothing leaves a half-run migration where it stood" {
    five_of_six <<<'DROP INDEX CONCURRENTLY tn; DROP TABLE t;'
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(json '.migrations[0].state')" failed
    run_pgmigrate rollback --accept-data-loss
    assert_status 1
    assert_stderr 'index "tn" does not exist'
    assert_value "select action from schema_migrations_log order by id desc limit 1" rollback_failed
    run_pgmigrate status
    assert_stderr "stopped in statement 6 of 6"
    goes_on_with_the_sixth
}

@test "a rollback killed in its first transaction leaves a half-run migration where it stood" {
    psql_value "create sequence looks"
    five_of_six <<<"SELECT CASE WHEN nextval('looks') > 1 THEN pg_sleep(30) END; VACUUM t; DROP TABLE t;"
    start_pgmigrate rollback --accept-data-loss
    wait_until sleeping
    kill_pgmigrate
    goes_on_with_the_sixth
}

@test "a rollback that did nothing leaves an applied migration applied" {
    bare_undo 'CREATE TABLE t (id int);' <<<'DROP INDEX CONCURRENTLY missing; DROP TABLE t;'
    before=$(psql_value "table schema_migrations")
    run_pgmigrate rollback --accept-data-loss
    assert_status 1
    assert_value "table schema_migrations" "$before"
    run_pgmigrate apply
    assert_status 0
}

@test "a half-run migration may be rolled back from where it stands" {
    bare 001_x <<<'CREATE TABLE a (id int); CREATE TABLE b (id nothing);'
    migration 001_x_rollback <<<'DROP TABLE IF EXISTS b; DROP TABLE IF EXISTS a;'
    run_pgmigrate apply
    assert_status 7
    run_pgmigrate rollback
    assert_status 0
    assert_value "select to_regclass('a') is null" t
    assert_value "select count(*) from schema_migrations" 0
}

@test "of a script of which nothing ran, nothing is rolled back" {
    migration 001_a <<<'CREATE TABLE w (id int);'
    migration 001_a_rollback <<<'DROP TABLE w;'
    bare 002_b <<<$'CREATE TABLE w (id int, v int);\nCREATE INDEX CONCURRENTLY ON w (v);'
    migration 002_b_rollback <<<'DROP TABLE w;'
    run_pgmigrate apply
    [ "$status" != 0 ]
    run_pgmigrate rollback --dry-run
    assert_status 0
    run_pgmigrate rollback
    assert_status 0
    assert_stderr "rolled back 002_b"
    assert_value "select to_regclass('w') is not null, (select string_agg(version, ' ') from schema_migrations)" "t|001_a"
    run_pgmigrate rollback
    assert_status 0
    assert_value "select to_regclass('w') is null" t
}

@test "of a script whose index could not be built, nothing is rolled back but what is left of the index" {
    table_t
    psql_value "create index other on t (id)"
    migration 001_x_rollback <<<'DROP INDEX other; DROP TABLE t;'
    bare 001_x <<<'CREATE INDEX CONCURRENTLY other ON t (d); CREATE TABLE z (id int);'
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'relation "other" already exists'
    run_pgmigrate rollback
    assert_status 0
    assert_equal "$(valid other)" t
    # What is in the way of the build is in the way of dropping what it left.
    hold reader "set transaction isolation level repeatable read; select count(*) from t"
    bare 001_x <<<'CREATE INDEX CONCURRENTLY "I" ON t (id); CREATE TABLE z (id int);'
    sed -i '1s/$/, statement_timeout=300ms/' migrations/001_x.sql
    run_pgmigrate apply
    assert_status 7
    release reader
    assert_equal "$(valid '"I"')" f
    run_pgmigrate rollback
    assert_status 0
    assert_value "select to_regclass('\"I\"') is null, to_regclass('other') is not null, count(*) from schema_migrations" "t|t|0"
}

@test "a script that was taken up again is the newest" {
    migration 003_x <<<'CREATE TABLE t3 (id int);'
    migration 003_x_rollback <<<'DROP TABLE t3;'
    bare 004_y <<<$'CREATE INDEX CONCURRENTLY t3_i ON t3 (id);\nCREATE VIEW v AS SELECT * FROM t2;'
    bare 004_y_rollback <<<$'DROP VIEW v;\nDROP INDEX CONCURRENTLY t3_i;'
    run_pgmigrate apply
    assert_status 7
    migration 002_z <<<'CREATE TABLE t2 (id int);'
    migration 002_z_rollback <<<'DROP TABLE t2;'
    run_pgmigrate apply --out-of-order
    assert_status 0
    run_pgmigrate rollback --to 002_z
    assert_status 0
    assert_value "select string_agg(version, ' ' order by sequence) from schema_migrations" "003_x 002_z"
}
