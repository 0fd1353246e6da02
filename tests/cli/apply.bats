# SPDX-License-Identifier: PostgreSQL
# What apply does to a database, file by file.

load helpers

@test "a migration and its history row are committed together" {
    migration 001_users <<<'CREATE TABLE users (id int);'
    migration 001_users_rollback <<<'DROP TABLE users;'
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('public.users') is not null" t
    assert_value "select version, state, transactional, checksum ~ '^[0-9a-f]{64}$', run_id is not null from schema_migrations" \
        "001_users|applied|t|t|t"
    assert_value "select forward_text, rollback_text from schema_migrations" \
        "$(printf 'CREATE TABLE users (id int);\n|DROP TABLE users;\n')"
    assert_value "select h.xmin = c.xmin from schema_migrations h, pg_class c where c.relname = 'users'" t
}

@test "a failing statement leaves nothing behind and is shown at its line and column" {
    migration 001_users <<<'CREATE TABLE users (id int);'
    migration 002_broken <<'SQL'
CREATE TABLE half (id int);
INSERT INTO half
SELECT 'größe', nmae FROM users;
SQL
    run_pgmigrate apply
    assert_status 1
    assert_stderr "migrations/002_broken.sql:3:17: error: column \"nmae\" does not exist"
    assert_value "select to_regclass('half') is null" t
    assert_value "select string_agg(version, ',') from schema_migrations" 001_users
    assert_value "select action, version from schema_migrations_log order by id desc limit 1" "failed|002_broken"
}

@test "an error's place is right after multi-byte text and CRLF line ends" {
    mkdir migrations
    printf '\xef\xbb\xbf-- \xc3\xa4\xc3\xb6\r\nSELECT 1;\r\nSELECT \xc2\xabx\xc2\xbb,\r\n  \xe2\x82\xac\xe2\x82\xac + nothing_there;\r\n' \
        >migrations/001_crlf.sql
    run_pgmigrate apply
    assert_status 1
    assert_stderr "migrations/001_crlf.sql:3:8: error:"
}

@test "a second run has nothing to do and takes no lock" {
    migration 001_users <<<'CREATE TABLE users (id int);'
    run_pgmigrate apply
    assert_status 0
    psql -Xq -d "$DATABASE_URL" -c "select pg_advisory_lock(0)" >/dev/null
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '.migrations | length')" 0
}

@test "COPY data, DO blocks and functions run as under psql" {
    migration 001_items <<'SQL'
CREATE TABLE items (id int, name text, note text);
COPY items FROM stdin;
1	semi;colon	it's "quoted"
2	back\\slash	\N
\.
DO $$ BEGIN UPDATE items SET note = 'x;y' WHERE note IS NULL; END $$;
CREATE RULE r AS ON DELETE TO items DO ALSO (SELECT 1; SELECT 2);
/* nested /* comment; */ still; */
SQL
    run_pgmigrate apply
    assert_status 0
    assert_value "select * from items order by id" "$(printf '1|semi;colon|it'\''s "quoted"\n2|back\\slash|x;y')"
}

@test "the semicolons of a BEGIN ATOMIC body do not end the statement" {
    [ "$(server_major)" -ge 14 ] || skip "PostgreSQL 14 brought BEGIN ATOMIC"
    migration 001_f <<<'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT f();'
    run_pgmigrate apply
    assert_status 0
    assert_value "select f()" 2
}

@test "bad COPY data is shown at its own line of the file" {
    migration 001_items <<'SQL'
CREATE TABLE items (id int);
COPY items FROM stdin;
1
2
three
\.
SQL
    run_pgmigrate apply
    assert_status 1
    assert_stderr "migrations/001_items.sql:5: error: invalid input syntax for type integer"
    assert_value "select to_regclass('items') is null" t
}

@test "the file's own BEGIN and COMMIT are replaced, and what follows them is in the transaction too" {
    migration 001_own <<'SQL'
BEGIN;
CREATE TABLE a (id int);
COMMIT;
CREATE TABLE b (id int);
SELECT 1/0;
SQL
    run_pgmigrate apply
    assert_status 1
    assert_stderr "division by zero"
    assert_value "select to_regclass('a') is null and to_regclass('b') is null" t
    sed -i '$d' migrations/001_own.sql
    run_pgmigrate apply
    assert_status 0
    assert_stderr "BEGIN"
    assert_value "select to_regclass('a') is not null and to_regclass('b') is not null" t
}

@test "the isolation level of the file's own BEGIN is kept" {
    migration 001_level <<'SQL'
BEGIN ISOLATION LEVEL SERIALIZABLE;
CREATE TABLE seen AS SELECT current_setting('transaction_isolation') AS level;
COMMIT;
SQL
    run_pgmigrate apply
    assert_status 0
    assert_value "select level from seen" serializable
}

@test "a statement that cannot run in a transaction is refused before anything runs" {
    migration 001_users <<<'CREATE TABLE users (id int);'
    migration 002_index <<<$'SELECT 1;\nCREATE INDEX CONCURRENTLY i ON users (id);'
    run_pgmigrate apply
    assert_status 2
    assert_stderr "migrations/002_index.sql:2:1: error:"
    assert_stderr "no-transaction"
    assert_value "select to_regclass('users') is null and to_regclass('schema_migrations') is null" t
}

@test "a verify script that selects false rolls the migration back" {
    migration 001_users <<<'CREATE TABLE users (id int);'
    migration 001_users_verify <<<$'SELECT count(*) = 0 AS empty FROM users;\nSELECT true,\n  count(*) > 0 FROM users;'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "migrations/001_users_verify.sql:2:1: error: verification failed"
    assert_value "select to_regclass('users') is null" t
    migration 001_users_verify <<<'SELECT count(*) = 0 FROM users;'
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from schema_migrations" 1
}

@test "a verify script with an error rolls the migration back" {
    migration 001_users <<<'CREATE TABLE users (id int);'
    migration 001_users_verify <<<'SELECT 1 FROM userz;'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "001_users_verify.sql:1:15"
    assert_value "select to_regclass('users') is null" t
}

@test "a deferred constraint that fails at COMMIT is a failed migration" {
    migration 001_t <<<'CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t DEFERRABLE INITIALLY DEFERRED);'
    migration 002_orphan <<<'INSERT INTO t VALUES (1, 99);'
    migration 003_after <<<'CREATE TABLE after (id int);'
    for batch in 1 10; do
        run_pgmigrate apply --batch $batch
        assert_status 1
        assert_stderr "002_orphan.sql"
        assert_stderr "at COMMIT"
        assert_stderr "violates foreign key constraint"
        assert_value "select string_agg(version, ',') from schema_migrations" 001_t
        assert_value "select to_regclass('after') is null" t
    done
}

@test "settings, role and search_path of one migration do not reach the next" {
    psql_value "create role leak_$TEST_DATABASE"
    migration 001_leak <<SQL
SET search_path = pg_catalog;
SET statement_timeout = '7s';
SELECT set_config('lock_timeout', '3s', false);
GRANT CREATE ON SCHEMA public TO leak_$TEST_DATABASE;
SET ROLE leak_$TEST_DATABASE;
SQL
    migration 002_look <<'SQL'
CREATE TABLE seen AS SELECT current_user::text AS who, current_setting('search_path') AS path,
    current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock;
SQL
    migration 003_reset <<<'RESET ALL; RESET ROLE; SET SESSION AUTHORIZATION DEFAULT;'
    migration 004_look <<<"INSERT INTO seen SELECT current_user, current_setting('search_path'),
        current_setting('statement_timeout'), current_setting('lock_timeout');"
    run_pgmigrate apply --lock-timeout 50
    assert_status 0
    assert_value "select distinct who, path, statement, lock from seen" 'postgres|"$user", public|0|50ms'
    psql_value "drop owned by leak_$TEST_DATABASE; drop role leak_$TEST_DATABASE"
}

@test "a pg_dump preamble that empties the search_path does not hide the history" {
    migration 001_dump <<<"SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.t (id int);"
    run_pgmigrate apply
    assert_status 0
    assert_value "select version from schema_migrations" 001_dump
}

@test "a migration's own history row is completed, not doubled" {
    migration 041_first <<<'SELECT 1;'
    migration 042_own <<<"CREATE TABLE t (id int);
        INSERT INTO schema_migrations (version, description, applied_at) VALUES ('042', 'own', now()) ON CONFLICT DO NOTHING;"
    migration 043_stem <<<"INSERT INTO schema_migrations (version) VALUES ('043_stem') ON CONFLICT (version) DO NOTHING;"
    run_pgmigrate apply
    assert_status 0
    assert_value "select version, checksum is not null, run_id is not null from schema_migrations order by version" \
        "$(printf '041_first|t|t\n042_own|t|t\n043_stem|t|t')"
    run_pgmigrate apply
    assert_status 0
}

@test "a migration that drops or replaces the history table is stopped and rolled back" {
    migration 001_t <<<'CREATE TABLE t (id int);'
    run_pgmigrate apply
    migration 002_drop <<<'DROP TABLE schema_migrations;'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "history table"
    assert_value "select version from schema_migrations" 001_t
    rm migrations/002_drop.sql
    migration 002_replace <<<'CREATE TABLE new (LIKE schema_migrations INCLUDING ALL);
        DROP TABLE schema_migrations; ALTER TABLE new RENAME TO schema_migrations;'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "history table"
    assert_value "select version from schema_migrations" 001_t
}

@test "a migration that gives up the run lock is rolled back" {
    migration 001_t <<<'CREATE TABLE t (id int); SELECT pg_advisory_unlock_all();'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "run lock"
    assert_value "select to_regclass('t') is null" t
}

@test "the history may be in another schema" {
    migration 001_t <<<'CREATE TABLE t (id int);'
    run_pgmigrate apply --history-table '"Ops"."my migrations"'
    assert_status 0
    assert_value 'select version from "Ops"."my migrations"' 001_t
    assert_value 'select action from "Ops"."my migrations_log"' applied
    assert_value "select to_regclass('public.schema_migrations') is null" t
}

@test "the history cannot be in a system schema" {
    migration 001_t <<<'CREATE TABLE t (id int);'
    for schema in pg_catalog PG_temp information_schema; do
        run_pgmigrate apply --history-table "$schema.x"
        assert_status 2
        assert_stderr 'the history cannot be kept in system schema'
    done
    refute_stderr GRANT
}

@test "notices are shown with file and line" {
    migration 001_t <<<$'SELECT 1;\nDROP TABLE IF EXISTS nothing_here;\nDO $$ BEGIN RAISE WARNING \'look out\'; END $$;'
    run_pgmigrate apply
    assert_status 0
    assert_stderr "migrations/001_t.sql:2"
    assert_stderr "does not exist, skipping"
    assert_stderr "migrations/001_t.sql:3"
    assert_stderr "look out"
}

@test "--to stops at a version, by stem, number or number without zeros" {
    for n in 1 2 3; do migration "00${n}_t" <<<"CREATE TABLE t$n (id int);"; done
    run_pgmigrate apply --to 1
    assert_status 0
    run_pgmigrate apply --to 002_t
    assert_status 0
    assert_value "select count(*) from schema_migrations" 2
    run_pgmigrate apply --to latest
    assert_status 0
    assert_value "select count(*) from schema_migrations" 3
    run_pgmigrate apply --to 17
    assert_status 2
}

@test "--dry-run tells the time of each migration, not of all so far" {
    migration 001_long <<<'SELECT pg_sleep(1);'
    migration 002_short <<<'SELECT 1;'
    run_pgmigrate apply --dry-run --json
    assert_status 0
    assert_equal "$(json '.migrations | map(.execution_ms) | .[0] > .[1]')" true
}

@test "--dry-run runs everything, keeps nothing, and says what it could not try" {
    migration 001_t <<<'CREATE TABLE t (id int);'
    migration 002_i <<<$'-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (id);'
    migration 003_c <<<'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ALTER TABLE t ADD COLUMN c int;'
    run_pgmigrate apply --dry-run --json
    assert_status 0
    assert_equal "$(json '[.migrations[].state] | join(",")')" "tried,untried,tried"
    assert_value "select to_regclass('t') is null and to_regclass('schema_migrations') is null" t
    migration 003_d <<<"INSERT INTO schema_migrations (version) VALUES ('003_d') ON CONFLICT DO NOTHING;"
    rm migrations/003_c.sql
    run_pgmigrate apply --dry-run
    assert_status 0
    migration 003_c <<<'ALTER TABLE t ADD COLUMN c int;'
    rm migrations/003_d.sql
    migration 004_bad <<<'ALTER TABLE t ADD COLUMN c int;'
    run_pgmigrate apply --dry-run
    assert_status 1
    assert_stderr "004_bad.sql:1"
    assert_value "select to_regclass('t') is null" t
}

@test "--batch applies the same as one by one, and stops at a failure" {
    for n in $(seq 101 140); do migration "${n}_t" <<<"CREATE TABLE t$n (id int); INSERT INTO t$n VALUES ($n);"; done
    migration 120_t <<<'CREATE TABLE t120 (id int); COPY t120 FROM stdin;
1
\.
'
    migration 130_t <<<'CREATE TABLE t130 (id int); SELECT 1/0;'
    run_pgmigrate apply --batch 16
    assert_status 1
    assert_stderr "130_t.sql"
    assert_value "select count(*), max(version) from schema_migrations" "29|129_t"
    assert_value "select count(*) from pg_class where relname ~ '^t1[0-9][0-9]\$'" 29
    migration 130_t <<<'CREATE TABLE t130 (id int);'
    run_pgmigrate apply --batch 16
    assert_status 0
    assert_value "select count(*), count(distinct sequence), bool_and(execution_ms is not null) from schema_migrations" "40|40|t"
}

@test "the JSON result holds every statement with its line, time and rows" {
    migration 001_t <<<$'CREATE TABLE t (id int);\n\nINSERT INTO t\n  SELECT generate_series(1, 5);'
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '.schema, .command, .ok, .exit_code')" "$(printf '1\napply\ntrue\n0')"
    assert_equal "$(json '.migrations[0].version, .migrations[0].state, .migrations[0].attempts')" "$(printf '001_t\napplied\n1')"
    assert_equal "$(json '[.migrations[0].statements[].line] | join(",")')" "1,3"
    assert_equal "$(json '.migrations[0].statements[1].rows')" 5
}

@test "variables are substituted with the directive, and their values are kept nowhere" {
    migration 001_v <<<$'-- pgmigrate: variables\nCREATE TABLE :"name" (v text);\nINSERT INTO :"name" VALUES (:\'secret\');'
    run_pgmigrate apply --set "name=my table"
    assert_status 2
    assert_stderr 'migrations/001_v.sql:3'
    run_pgmigrate apply --set "name=my table" --set "secret=it's \\ hidden"
    assert_status 0
    assert_value 'select v from "my table"' "it's \\ hidden"
    assert_value "select count(*) from schema_migrations h, schema_migrations_log l where h::text ~ 'hidden' or l::text ~ 'hidden'" 0
    refute_output hidden
    refute_stderr hidden
}

@test "other runs do not tell values of variables either" {
    psql_value "create table t (id int)"
    migration 001_a <<<$'-- pgmigrate: variables\nLOCK TABLE t;\nSELECT pg_sleep(60), :\'pw\', \'it\'\'s\';'
    start_pgmigrate apply --set "pw=top'secret"
    wait_until session "query ~ 'sleep' and application_name = 'pgmigrate' and wait_event = 'PgSleep'"
    for command in status "status --json" "apply --wait-lock 0 --set pw=x"; do
        run_pgmigrate $command
        [[ $output$stderr == *"running: SELECT pg_sleep(60), '...', '...'"* ]]
        [[ $output$stderr != *secret* ]]
    done
    mkdir other
    echo 'ALTER TABLE t ADD c int;' >other/001_o.sql
    run_pgmigrate apply -m other --history-table other.history --max-wait 1
    assert_status 5
    assert_stderr "blocked by pid"
    assert_stderr "SELECT pg_sleep(60), '...', '...'"
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
}

@test "values of variables are not in messages, in the log, nor on the command line" {
    migration 001_v <<'SQL'
-- pgmigrate: variables
CREATE TABLE v (v text CHECK (v <> :'secret'));
DO $$ BEGIN RAISE NOTICE 'says %', 'geheim'||'123'; END $$;
SELECT 1 / :'secret'::int;
SQL
    run_pgmigrate apply -v --set secret=geheim123
    assert_status 1
    assert_stderr "running: migrations/001_v.sql:2: CREATE TABLE v (v text CHECK (v <> :'secret'))"
    assert_stderr "notice: says :'secret'"
    assert_stderr "invalid input syntax for type integer: \":'secret'\""
    refute_stderr geheim123
    assert_value "select count(*) from schema_migrations_log l where l::text ~ 'geheim123'" 0
    migration 001_v <<'SQL'
-- pgmigrate: variables no-transaction
CREATE TABLE v (v text CHECK (v <> :'secret'));
INSERT INTO v VALUES (:'secret');
SQL
    run_pgmigrate apply -v --json --set "secret=gehe'im\\123"
    assert_status 7
    refute_stderr "gehe'im"
    refute_output "gehe'im"
    assert_value "select count(*) from schema_migrations h, schema_migrations_log l where h::text ~ 'gehe' or l::text ~ 'gehe'" 0
    rm migrations/001_v.sql
    echo "SELECT pg_sleep(60);" | migration 002_w
    start_pgmigrate apply --set secret=geheim123 --history-table another
    wait_until grep -q "xxxxxxxxx" "/proc/$PGMIGRATE_PID/cmdline"
    tr '\0' ' ' <"/proc/$PGMIGRATE_PID/cmdline" >cmdline
    kill "$PGMIGRATE_PID"
    wait_pgmigrate
    grep -q "set secret=xxxxxxxxx" cmdline
}

@test "directives set timeouts and role for their own file only" {
    psql_value "create role r_$TEST_DATABASE; grant create on schema public to r_$TEST_DATABASE"
    migration 001_d <<SQL
-- pgmigrate: lock_timeout=1234ms, statement_timeout=5s
-- pgmigrate: role=r_$TEST_DATABASE
CREATE TABLE seen AS SELECT current_user::text, current_setting('statement_timeout');
SQL
    migration 002_n <<<"CREATE TABLE after AS SELECT current_user::text, current_setting('statement_timeout');"
    run_pgmigrate apply
    assert_status 0
    assert_value "select * from seen" "r_$TEST_DATABASE|5s"
    assert_value "select * from after" "postgres|0"
    psql_value "drop owned by r_$TEST_DATABASE; drop role r_$TEST_DATABASE"
}

@test "statement_timeout ends a statement on the server" {
    migration 001_slow <<<'SELECT pg_sleep(30);'
    run_pgmigrate apply --statement-timeout 200
    assert_status 1
    assert_stderr "001_slow.sql:1:1: error: canceling statement due to statement timeout"
}

@test "--role owns what is made, the history table too" {
    psql_value "create role owner_$TEST_DATABASE; grant create on schema public to owner_$TEST_DATABASE"
    migration 001_t <<<'CREATE TABLE t (id int);'
    migration 002_t <<<'RESET ROLE; CREATE TABLE u (id int);'
    migration 003_t <<<'CREATE TABLE v (id int);'
    run_pgmigrate apply --role "owner_$TEST_DATABASE"
    assert_status 0
    assert_value "select string_agg(relname, ',' order by relname) from pg_class where relkind = 'r' and relowner = 'owner_$TEST_DATABASE'::regrole" \
        "schema_migrations,schema_migrations_log,t,v"
    psql_value "drop owned by owner_$TEST_DATABASE; drop role owner_$TEST_DATABASE"
}

@test "a migration that throws prepared statements away is applied, alone and in a batch" {
    for n in 1 2 3 4 5; do migration "00${n}_t" <<<"CREATE TABLE t$n (id int);"; done
    migration 003_t <<<'CREATE TABLE t3 (id int); DEALLOCATE ALL;'
    run_pgmigrate apply --to 4
    assert_status 0
    migration 006_t <<<'DEALLOCATE ALL;'
    migration 007_t <<<'CREATE TABLE t7 (id int);'
    run_pgmigrate apply --batch 8
    assert_status 0
    assert_value "select count(*), count(distinct sequence) from schema_migrations" "7|7"
}

@test "a script without transaction between others does not confuse what is prepared" {
    migration 001_before <<<'CREATE TABLE t (id int);'
    migration 002_mixed <<'SQL'
-- pgmigrate: no-transaction
CREATE TABLE a (id int);
VACUUM t;
CREATE TABLE b (id int);
SQL
    migration 003_seen <<<'CREATE TABLE seen AS SELECT count(*) FROM pg_prepared_statements;'
    migration 004_seen <<<'INSERT INTO seen SELECT count(*) FROM pg_prepared_statements;'
    run_pgmigrate apply
    assert_status 0
    assert_value "select string_agg(version, ' ' order by sequence) from schema_migrations where checksum is not null" \
        "001_before 002_mixed 003_seen 004_seen"
    assert_value "select string_agg(count::text, ' ' order by count) from seen" "2 3"
}

@test "on a terminal the running statement and the elapsed time are shown while it runs" {
    migration 001_slow <<<$'SELECT 1;\nSELECT pg_sleep(3);'
    migration 002_first <<<'SELECT pg_sleep(2.5);'
    TERM=xterm COLUMNS=100 script -qec "pgmigrate apply --color=never" typescript </dev/null >/dev/null
    run cat typescript
    assert_output "SELECT pg_sleep(3)"
    assert_output "SELECT pg_sleep(2.5)"
    assert_output "applied 001_slow"
    assert_output "2 of 2 applied"
}

@test "a script that makes its transaction read-only has failed; the server is not to blame" {
    migration 001_x <<<'SET TRANSACTION READ ONLY; SELECT 1;'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "A migration must not make its transaction or session READ ONLY."
    migration 001_x <<<'SET TRANSACTION READ ONLY; CREATE TABLE x (id int);'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "001_x.sql:1:28: error: cannot execute CREATE TABLE in a read-only transaction"
}

@test "a dry run leaves nothing of one migration to the COMMIT of the last" {
    migration 001_a <<<'CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO child VALUES (1); INSERT INTO parent VALUES (1);'
    migration 002_b <<<'ALTER TABLE child ADD note text; INSERT INTO child VALUES (2); INSERT INTO parent VALUES (2);'
    migration 003_c <<<'INSERT INTO child VALUES (3);'
    migration 004_d <<<'INSERT INTO parent VALUES (3);'
    run_pgmigrate apply --dry-run
    assert_status 1
    assert_stderr "migrations/003_c.sql: error: at COMMIT: insert or update"
    run_pgmigrate apply
    assert_status 1
    assert_value "select max(version) from schema_migrations" 002_b
}

@test "a dry run finds what would fail at COMMIT" {
    migration 001_k <<<'CREATE TABLE k (i int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO k VALUES (1), (1);'
    run_pgmigrate apply --dry-run
    assert_status 1
    assert_stderr "at COMMIT: duplicate key value"
    run_pgmigrate apply
    assert_status 1
}
