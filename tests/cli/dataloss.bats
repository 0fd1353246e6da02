# SPDX-License-Identifier: PostgreSQL
# What a rollback would destroy: found, counted, told, and refused without --accept-data-loss.

load helpers

# A database as its superuser made it (SQL), and one applied migration whose rollback is the script on stdin.
undo_of() # SQL
{
    [ -z "$1" ] || psql_value "$1"
    migration 001_x <<<'SELECT 1;'
    migration 001_x_rollback
    run_pgmigrate apply
    assert_status 0
}

# Every loss as "kind object rows version" with + behind rows that are at least that many; sorted.
losses()
{
    json '[.losses[] | "\(.kind) \(.object) \(.rows // "?")\(if .at_least then "+" else "" end)"] | sort | join("; ")'
}

# The rollback is refused because of these, and nothing has changed.
refused() # LOSSES
{
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(json '.error.code')" refused
    assert_equal "$(losses)" "$1"
    assert_equal "$(json '.migrations[0].state')" applied
    assert_value "select count(*) from schema_migrations" 1
}

# It runs without being asked.
passes()
{
    run_pgmigrate rollback --json
    assert_status 0
    assert_equal "$(losses)" ""
    assert_value "select count(*) from schema_migrations" 0
}

@test "a table with rows is refused with its count, an empty one is not" {
    undo_of "create table t as select generate_series(1, 3) as id; create table e (id int)" <<<'DROP TABLE t; DROP TABLE e;'
    refused "table public.t 3"
    assert_value "select count(*) from t" 3
    psql_value "truncate t"
    passes
}

@test "--accept-data-loss goes on, and tells what was lost" {
    undo_of "create table t as select generate_series(1, 3) as id" <<<'DROP TABLE t;'
    run_pgmigrate rollback
    assert_status 10
    assert_stderr "rolling back would lose data"
    assert_stderr "--accept-data-loss"
    assert_stderr "would be lost"
    run_pgmigrate rollback --dry-run
    assert_status 0
    assert_stderr "public.t"
    assert_value "select count(*) from t" 3
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_stderr "public.t"
    refute_stderr "would be lost"
    assert_value "select to_regclass('t') is null" t
}

@test "a column counts by its values that are not null" {
    undo_of "create table t (id int, a text, b text, c int generated always as (id * 2) stored);
        insert into t values (1, 'x', null), (2, null, null)" <<<'ALTER TABLE t DROP COLUMN a, DROP COLUMN b, DROP COLUMN c;'
    refused "column public.t.a 1"
    psql_value "update t set a = null"
    passes
}

@test "deleted rows count, however they are deleted" {
    undo_of "create table a (id int primary key); create table b (id int references a on delete cascade);
        create table c as select generate_series(1, 9) as id;
        insert into a select generate_series(1, 4); insert into b values (1), (1), (2)" <<'SQL'
DELETE FROM a WHERE id < 3;
DO $$ BEGIN DELETE FROM c WHERE id = 5; END $$;
SQL
    refused "rows public.a 2; rows public.b 3; rows public.c 1"
    psql_value "delete from a where id < 3; delete from c where id = 5"
    passes
}

@test "truncated rows count, those of tables that go along too" {
    undo_of "create table a (id int primary key); create table b (id int references a); create table e (id int);
        insert into a select generate_series(1, 4); insert into b values (1), (1), (2)" <<<'TRUNCATE a CASCADE; TRUNCATE e;'
    refused "rows public.a 4; rows public.b 3"
}

@test "of a table that is truncated and filled again, all rows count, as of one that is emptied by DELETE" {
    undo_of "create table a as select generate_series(1, 10) as id" <<<'TRUNCATE a; INSERT INTO a VALUES (1), (2);'
    refused "rows public.a 10"
}

@test "DELETE and a rewrite together count once" {
    undo_of "create table a as select generate_series(1, 10) as id" <<<'DELETE FROM a WHERE id > 4; ALTER TABLE a ALTER id TYPE bigint;'
    refused "rows public.a 6"
}

@test "DROP SCHEMA CASCADE counts every table in it, and quoted names are written as in SQL" {
    undo_of 'create schema "My app"; create table "My app"."Order" (id int, "select" text);
        insert into "My app"."Order" values (1, null), (2, null); create table "My app".e (id int);
        create table "My app".f as select 1 as one' <<<'DROP SCHEMA "My app" CASCADE;'
    refused 'table "My app"."Order" 2; table "My app".f 1'
}

@test "a column of a quoted table in another schema" {
    undo_of 'create schema app; create table app."Order" (id int, "Note" text);
        insert into app."Order" values (1, $$x$$)' <<<'ALTER TABLE app."Order" DROP COLUMN "Note";'
    refused 'column app."Order"."Note" 1'
}

@test "a partitioned table is told once with all its rows; a dropped partition as itself; a detached one not" {
    undo_of "create table p (id int) partition by range (id);
        create table p1 partition of p for values from (1) to (10) partition by range (id);
        create table p11 partition of p1 for values from (1) to (5); create table p12 partition of p1 for values from (5) to (10);
        insert into p select generate_series(1, 9);
        create table q (id int, note text) partition by range (id); create table q1 partition of q for values from (1) to (10);
        create table q2 partition of q for values from (10) to (20); insert into q values (1, 'x'), (11, 'y'), (12, null);
        create table r (id int) partition by range (id); create table r1 partition of r for values from (1) to (9);
        insert into r values (1)" <<'SQL'
DROP TABLE p;
DROP TABLE q1;
ALTER TABLE q DROP COLUMN note;
ALTER TABLE r DETACH PARTITION r1;
DROP TABLE r;
SQL
    refused "column public.q.note 2; table public.p 9; table public.q1 1"
}

@test "rows of tables that inherit are counted by their own table" {
    undo_of "create table a (id int); create table b () inherits (a); insert into a values (1);
        insert into b values (2), (3)" <<<'DROP TABLE a CASCADE;'
    refused "table public.a 1; table public.b 2"
}

@test "renames, type changes, moves and what the run makes itself lose nothing" {
    undo_of "create schema s; create table t as select generate_series(1, 3) as id, 'x' as a;
        create unlogged table u as select 1 as id" <<'SQL'
ALTER TABLE t RENAME TO t2;
ALTER TABLE t2 RENAME a TO b;
ALTER TABLE t2 ALTER id TYPE bigint;
ALTER TABLE t2 SET SCHEMA s;
ALTER TABLE u SET LOGGED;
UPDATE s.t2 SET b = 'y';
CREATE TABLE made AS SELECT generate_series(1, 3);
DELETE FROM made;
DROP TABLE made;
CREATE TEMP TABLE passing AS SELECT 1;
DROP TABLE passing;
SQL
    passes
}

@test "views, matviews and sequences are no data" {
    undo_of "create table t as select 1 as id; create view v as select * from t; create materialized view m as select * from t;
        create sequence s" <<<'DROP VIEW v; DROP MATERIALIZED VIEW m; DROP SEQUENCE s;'
    passes
}

@test "DROP TYPE CASCADE takes a column along" {
    undo_of "create type mood as enum ('good'); create table t (id int, m mood); insert into t values (1, 'good')" <<<'DROP TYPE mood CASCADE;'
    refused "column public.t.m 1"
}

@test "counting stops at a million" {
    undo_of "create table t as select generate_series(1, 1000001) as id; create table u as select generate_series(1, 1000000) as id;
        create table v as select generate_series(1, 1000001) as id" <<<'DROP TABLE t; DROP TABLE u; TRUNCATE v;'
    refused "rows public.v 1000000+; table public.t 1000000+; table public.u 1000000"
    run_pgmigrate rollback
    assert_stderr "at least 1000000"
}

@test "large objects that are unlinked count, by the script or a trigger" {
    undo_of "create table t as select lo_create(0) as picture from generate_series(1, 3); create table e (id int);
        create function unlink() returns trigger language plpgsql as
            'begin perform lo_unlink(min(picture)) from t; return null; end';
        create trigger unlink after insert on e for each statement execute function unlink()" <<<'INSERT INTO e VALUES (1);
            SELECT lo_unlink(max(picture)) FROM t; SELECT lo_create(0);'
    refused "large objects pg_largeobject 2"
    run_pgmigrate rollback
    assert_stderr "2 large objects would be unlinked."
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select count(*) from pg_largeobject_metadata" 2
}

@test "what a script leaves to its COMMIT counts" {
    psql_value "create table a (id int); create table b as select generate_series(1, 3) as id;
        create table c as select 1 as id;
        create function later() returns trigger language plpgsql as
            'begin delete from b where id = new.id; drop table if exists c; return null; end';
        create constraint trigger later after insert on a deferrable initially deferred for each row execute function later()"
    migration 001_x <<<'SELECT 1;'
    migration 001_x_rollback <<<'INSERT INTO a VALUES (2);'
    migration 002_y <<<'SELECT 1;'
    migration 002_y_rollback <<<'INSERT INTO a VALUES (1);'
    run_pgmigrate apply
    run_pgmigrate rollback --steps 2 --json
    assert_status 10
    assert_equal "$(json '[.losses[] | "\(.version) \(.kind) \(.object) \(.rows)"] | join("; ")')" \
        "002_y table public.c 1; 002_y rows public.b 1; 001_x rows public.b 1"
}

@test "each loss is told with the migration whose rollback does it" {
    migration 001_a <<<'CREATE TABLE a (id int); INSERT INTO a VALUES (1), (2), (3);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 002_b <<<'CREATE TABLE b (id int); INSERT INTO b VALUES (1);'
    migration 002_b_rollback <<<'DELETE FROM a WHERE id = 1; DROP TABLE b;'
    migration 003_c <<<'SELECT 1;'
    migration 003_c_rollback <<<'TRUNCATE b; INSERT INTO b VALUES (1);'
    run_pgmigrate apply
    run_pgmigrate rollback --steps 3 --json
    assert_status 10
    assert_equal "$(json '[.losses[] | "\(.version) \(.kind) \(.object) \(.rows)"] | join("; ")')" \
        "003_c rows public.b 1; 002_b table public.b 1; 002_b rows public.a 1; 001_a table public.a 3"
}

@test "rows a script deletes from the history are not the user's data" {
    undo_of "" <<<"DELETE FROM schema_migrations WHERE version = '001_x';"
    passes
}

@test "the trial leaves no trace" {
    undo_of "create table t as select generate_series(1, 3) as id" <<<'DROP TABLE t; CREATE TABLE made (id int); SET work_mem = 64;'
    refused "table public.t 3"
    assert_value "select to_regclass('made') is null" t
    assert_value "select count(*) from pg_locks l join pg_database d on d.oid = l.database
        where d.datname = current_database() and l.pid <> pg_backend_pid()" 0
    assert_value "select count(*) from schema_migrations_log" 1
}

# A role that may log in, owns nothing, and works in its own schema.
plain_role()
{
    psql_value "do \$\$ begin create role plain_role login; exception when duplicate_object then null; end \$\$;
        grant create on database $TEST_DATABASE to plain_role; grant create, usage on schema public to plain_role"
    DATABASE_URL=$(database_url "$TEST_DATABASE" plain_role)
}

as_superuser() # SQL
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$(database_url "$TEST_DATABASE")" -c "$1"
}

@test "rows that row-level security hides are not taken for none" {
    plain_role
    undo_of "create table t (id int, tenant int); alter table t enable row level security; alter table t force row level security;
        create policy nobody on t using (false)" <<<'DROP TABLE t;'
    as_superuser "insert into t values (1, 1)"
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(losses)" "table public.t ?"
    assert_equal "$(json '.error.message')" "what data rolling back would lose cannot be told"
    assert_stderr "row-level security"
    assert_stderr "BYPASSRLS"
    run_pgmigrate rollback
    assert_stderr unknown
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select to_regclass('t') is null" t
}

@test "row-level security works as ever for the script itself" {
    plain_role
    undo_of "create table t (id int); alter table t enable row level security; alter table t force row level security;
        create policy few on t using (id < 3)" <<<'DELETE FROM t;'
    as_superuser "insert into t select generate_series(1, 5)"
    refused "rows public.t 2"
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_equal "$(as_superuser 'select count(*) from t')" 3
}

@test "tables that may be dropped but not read are unknown, too" {
    plain_role
    psql_value "create schema mine"
    as_superuser "create table mine.theirs as select 1 as id"
    undo_of "" <<<'DROP SCHEMA mine CASCADE;'
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(losses)" "table mine.theirs ?"
    assert_stderr "permission denied"
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
}

@test "a truncated table that cannot be read is unknown" {
    plain_role
    as_superuser "create table theirs as select 1 as id; grant truncate on theirs to plain_role"
    undo_of "" <<<'TRUNCATE theirs;'
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(losses)" "rows public.theirs ?"
}

@test "a server that does not count deleted rows cannot tell" {
    psql_value "alter database $TEST_DATABASE set track_counts = off; create table t as select 1 as id"
    undo_of "" <<<'DELETE FROM t;'
    run_pgmigrate rollback --json
    assert_status 10
    assert_stderr track_counts
}

# ---- scripts without a transaction ----

@test "of a no-transaction script the statements that can be tried are" {
    psql_value "create table t as select generate_series(1, 3) as id; create index i on t (id)"
    undo_of "" <<<$'-- pgmigrate: no-transaction\nDROP INDEX CONCURRENTLY i;\nDO $$ BEGIN DELETE FROM t WHERE id = 1; END $$;'
    refused "rows public.t 1"
    assert_value "select count(*) from t" 3
    assert_value "select to_regclass('i') is not null" t
    run_pgmigrate rollback --dry-run --json
    assert_status 0
    assert_equal "$(json '.migrations[0].state')" untried
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select count(*), to_regclass('i') is null from t" "2|t"
}

@test "an index may come and go without a question" {
    undo_of "create table t as select generate_series(1, 3) as id; create index i on t (id)" \
        <<<$'-- pgmigrate: no-transaction\nDROP INDEX CONCURRENTLY i;\nVACUUM t;\nCREATE INDEX CONCURRENTLY j ON t (id);'
    passes
}

@test "a procedure that commits cannot be tried" {
    undo_of "create table t as select 1 as id;
        create procedure p() language plpgsql as 'begin delete from t; commit; end'" <<<$'-- pgmigrate: no-transaction\nCALL p();'
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(json '.losses[0] | .kind, .object')" "$(printf 'unknown\n001_x (rollback as stored):2: CALL p()')"
    assert_value "select count(*) from t" 1
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select count(*) from t" 0
}

@test "DROP DATABASE cannot be looked into" {
    psql_value "create database ${TEST_DATABASE}_more"
    undo_of "" <<<"$(printf -- '-- pgmigrate: no-transaction\nDROP DATABASE %s_more;' "$TEST_DATABASE")"
    run_pgmigrate rollback
    assert_status 10
    assert_stderr "DROP DATABASE"
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select count(*) from pg_database where datname = '${TEST_DATABASE}_more'" 0
}

@test "a failure after what could not be tried proves nothing, and is no reason to give up" {
    psql_value "create procedure p() language plpgsql as 'begin create table made (id int); commit; end'"
    undo_of "" <<<$'-- pgmigrate: no-transaction\nCALL p();\nALTER TABLE made ADD COLUMN x int;'
    run_pgmigrate rollback
    assert_status 10
    assert_stderr "from line 3 on"
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select count(*) from pg_attribute where attrelid = 'made'::regclass and attname = 'x'" 1
}

# ---- between the trial and the real run ----

# Two steps back, the first of which stops in its real run until go has a row; the second runs the script from stdin. The
# trial finds nothing to lose.
undo_later() # SQL, what was there before
{
    psql_value "create table go (); create sequence runs; $1"
    migration 001_x <<<'SELECT 1;'
    migration 001_x_rollback
    migration 002_slow <<<'SELECT 1;'
    migration 002_slow_rollback <<'SQL'
DO $$ BEGIN
    IF nextval('runs') > 1 THEN
        WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.02); END LOOP;
    END IF;
END $$;
SQL
    run_pgmigrate apply
    start_pgmigrate rollback --steps 2 --json
    wait_until sleeping
}

# SQL comes in between; then the second step must have refused, for this loss.
refuses_after() # SQL LOSS [MESSAGE]
{
    psql_value "$1; insert into go default values"
    wait_pgmigrate
    assert_status 10
    assert_equal "$(losses)" "$2"
    assert_stderr "It came after the trial"
    assert_value "select string_agg(version, ' ') from schema_migrations" 001_x
    assert_value "select action, detail from schema_migrations_log order by at desc limit 1" "rollback_failed|${3:-rolling back would lose data}"
}

@test "rows that come after the trial are not dropped with their table" {
    undo_later "create table t (id int)" <<<'DROP TABLE t;'
    refuses_after "insert into t values (1), (2)" "table public.t 2"
    assert_value "select count(*) from t" 2
}

@test "the same for a column, also in a script that sets how its transaction is" {
    undo_later "create table t (id int, note text)" \
        <<<'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ALTER TABLE t DROP COLUMN note;'
    refuses_after "insert into t values (1, 'a'), (2, null)" "column public.t.note 1"
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(losses)" "column public.t.note 1"
}

@test "the same for a table that is truncated" {
    undo_later "create table \"U x\" (id int)" <<<'TRUNCATE "U x";'
    refuses_after 'insert into "U x" values (1), (2), (3)' 'rows public."U x" 3'
    assert_value 'select count(*) from "U x"' 3
}

@test "rows that come after the trial are not deleted" {
    undo_later "create table t (id int)" <<<'DELETE FROM t;'
    refuses_after "insert into t values (1)" "rows public.t 1"
}

@test "what did not happen in the trial is refused, too" {
    undo_later "create table t (id int); create table late (id int)" \
        <<<'DO $$ BEGIN IF EXISTS (SELECT FROM t) THEN DROP TABLE late; END IF; END $$;'
    refuses_after "insert into t values (1)" "table public.late ?" "what data rolling back would lose cannot be told"
}

@test "rows that come after the trial and stay are no loss" {
    undo_later "create table t (id int, n int); insert into t values (1, 1); create table empty (id int)" \
        <<<'ALTER TABLE t ALTER n TYPE bigint; ALTER TABLE empty ALTER id TYPE bigint;'
    psql_value "insert into t values (2, 2); insert into empty values (1); insert into go default values"
    wait_pgmigrate
    assert_status 0
    assert_value "select count(*) from t" 2
}

@test "a table that another session holds is waited for in short attempts, also when it is looked at again" {
    undo_later "create table t (id int)" <<<'DROP TABLE t;'
    hold holder "select count(*) from t"
    psql_value "insert into go default values"
    wait_until grep -q "^retry: 001_x" background.err
    release holder
    wait_pgmigrate
    assert_status 0
    assert_value "select to_regclass('t') is null" t
}
