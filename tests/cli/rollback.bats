# SPDX-License-Identifier: PostgreSQL
# Going back: which migrations, by which scripts, and what is left when it does not work.

load helpers

# Three migrations with their rollbacks, applied.
shop()
{
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
    migration 003_c <<<'CREATE TABLE c (id int);'
    migration 003_c_rollback <<<'DROP TABLE c;'
    run_pgmigrate apply
    assert_status 0
}

applied()
{
    psql_value "select coalesce(string_agg(version, ' ' order by version), '') from schema_migrations"
}

tables()
{
    psql_value "select coalesce(string_agg(relname, ' ' order by relname), '') from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r' and relname !~ '^schema_migrations'"
}

@test "a script that fails when it is tried first says that nothing was rolled back" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    echo 'DROP TABLE a; SELECT 1/0;' >migrations/001_a_rollback.sql
    run_pgmigrate apply
    run_pgmigrate rollback
    assert_status 1
    assert_stderr "001_a (rollback as stored):1:15: error: division by zero"
    assert_stderr "Nothing was rolled back: it was tried first, in a transaction that was undone."
    assert_value "select to_regclass('a') is not null" t
    assert_value "select action, version from schema_migrations_log order by id desc limit 1" "rollback_failed|001_a"
}

@test "the migration applied last is rolled back, its row goes, and the log keeps it whole" {
    shop
    run_pgmigrate rollback --reason "came too early"
    assert_status 0
    assert_output "1 of 1 rolled back"
    assert_equal "$(applied)" "001_a 002_b"
    assert_equal "$(tables)" "a b"
    assert_value "select action, reason, btrim(\"row\" ->> 'forward_text', e'\n') from schema_migrations_log
        order by at desc limit 1" "rolled_back|came too early|CREATE TABLE c (id int);"
}

@test "a rollback script may delete its own row, and no other's" {
    local sql
    shop
    for sql in "DELETE FROM schema_migrations" "TRUNCATE schema_migrations" \
        "DELETE FROM schema_migrations WHERE version = '001_a'"; do
        echo "DROP TABLE c; $sql;" >migrations/003_c_rollback.sql
        run_pgmigrate rollback --use=file
        assert_status 1
        assert_stderr 'the history table "public.schema_migrations" was '
        assert_stderr "A migration must leave the history table alone, but for rows of its own."
        assert_equal "$(applied) $(tables)" "001_a 002_b 003_c a b c"
    done
    echo "DROP TABLE c; DELETE FROM schema_migrations WHERE version = '003_c';" >migrations/003_c_rollback.sql
    run_pgmigrate rollback --steps 3 --use=file
    assert_status 0
    assert_equal "$(applied)$(tables)" ""
}

@test "--steps goes back that far, and further than there is means all" {
    shop
    run_pgmigrate rollback --steps 2 --json
    assert_status 0
    assert_equal "$(json '[.migrations[] | .version, .state] | join(" ")')" "003_c rolled_back 002_b rolled_back"
    assert_equal "$(json '.migrations[0].statements | length')" 1
    assert_equal "$(tables)" a
    run_pgmigrate rollback --steps 7
    assert_status 0
    assert_equal "$(applied)" ""
    run_pgmigrate rollback
    assert_status 0
    assert_output "nothing to roll back"
}

@test "--to names the version that stays, by stem, number or latest" {
    shop
    run_pgmigrate rollback --to 2
    assert_status 0
    assert_equal "$(applied)" "001_a 002_b"
    run_pgmigrate rollback --to latest
    assert_status 0
    assert_output "nothing to roll back"
    run_pgmigrate rollback --to 001_a
    assert_status 0
    assert_equal "$(tables)" a
    run_pgmigrate rollback --to 003_c
    assert_status 2
    assert_stderr "003_c"
    run_pgmigrate rollback --to 1 --steps 1
    assert_status 2
}

@test "newest is what was applied last, not the highest number" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 003_c <<<'CREATE TABLE c (id int);'
    migration 003_c_rollback <<<'DROP TABLE c;'
    run_pgmigrate apply
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
    run_pgmigrate apply --out-of-order
    assert_status 0
    run_pgmigrate rollback --json
    assert_status 0
    assert_equal "$(json '.migrations[].version')" 002_b
    run_pgmigrate rollback --to 1 --json
    assert_equal "$(json '.migrations[].version')" 003_c
}

@test "the stored text runs when the folder is older, empty or gone" {
    shop
    rm migrations/003_c*
    run_pgmigrate rollback
    assert_status 0
    mkdir empty
    run_pgmigrate rollback -m empty
    assert_status 0
    run_pgmigrate rollback -m nowhere
    assert_status 0
    assert_stderr nowhere
    assert_equal "$(tables)" ""
}

@test "a folder with mistakes does not keep from going back" {
    shop
    migration 003_d <<<'CREATE TABLE d (id int);'
    run_pgmigrate status
    assert_status 2
    run_pgmigrate rollback
    assert_status 0
    assert_stderr 003_d
    assert_equal "$(tables)" "a b"
}

@test "--use=file wants the folder" {
    shop
    run_pgmigrate rollback --use=file -m nowhere
    assert_status 2
    assert_equal "$(tables)" "a b c"
}

@test "a rollback file that differs is shown, and runs only with --use=file" {
    shop
    migration 003_c_rollback <<<'DROP TABLE c; CREATE TABLE from_file (id int);'
    run_pgmigrate rollback
    assert_status 0
    assert_stderr "+DROP TABLE c; CREATE TABLE from_file (id int);"
    assert_stderr "-DROP TABLE c;"
    assert_stderr "--use=file"
    assert_equal "$(tables)" "a b"

    migration 002_b_rollback <<<'DROP TABLE b; CREATE TABLE from_file (id int);'
    run_pgmigrate rollback --use=file
    assert_status 0
    assert_equal "$(tables)" "a from_file"
}

@test "line ends alone are no difference" {
    shop
    printf 'DROP TABLE c;\r\n' | migration 003_c_rollback
    run_pgmigrate rollback
    assert_status 0
    refute_stderr "--use=file"
}

@test "without a rollback text it is refused with what to do, before anything runs" {
    shop
    migration 004_d <<<'CREATE TABLE d (id int);'
    migration 005_e <<<'CREATE TABLE e (id int);'
    migration 005_e_rollback <<<'DROP TABLE e;'
    run_pgmigrate apply
    run_pgmigrate rollback --to 3 --json
    assert_status 10
    assert_equal "$(json '.error.code')" refused
    assert_stderr '"004_d" has no stored rollback script'
    assert_stderr "--use=file"
    assert_equal "$(tables)" "a b c d e"

    migration 004_d_rollback <<<'DROP TABLE d;'
    run_pgmigrate rollback --to 3
    assert_status 10
    assert_stderr "Its file has one now"
    run_pgmigrate rollback --to 3 --use=file
    assert_status 0
    assert_equal "$(tables)" "a b c"
}

@test "without a rollback text and a file, it is told how to go on by hand" {
    psql_value "create table schema_migrations (version text primary key, applied_at timestamptz);
        insert into schema_migrations values ('009_gone', now())"
    migration 001_a <<<'CREATE TABLE a (id int);'
    run_pgmigrate repair 009_gone --accept-missing --reason gone
    assert_status 0
    run_pgmigrate rollback
    assert_status 10
    assert_stderr "pgmigrate repair 009_gone --mark-rolled-back --reason"
    run_pgmigrate repair 009_gone --mark-rolled-back --reason gone
    assert_status 0
    run_pgmigrate rollback
    assert_status 0
}

@test "an irreversible migration stops it, also when the file no longer says so" {
    shop
    printf -- '-- pgmigrate: irreversible\nCREATE TABLE d (id int);\n' | migration 004_d
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate rollback --steps 2
    assert_status 10
    assert_stderr '"004_d" is marked irreversible'
    migration 004_d <<<'CREATE TABLE d (id int);'
    migration 004_d_rollback <<<'DROP TABLE d;'
    run_pgmigrate rollback --use=file
    assert_status 10
    assert_stderr "restored backup"
    assert_equal "$(tables)" "a b c d"
}

@test "a rollback script may itself say that it is irreversible" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    printf -- '-- pgmigrate: irreversible\nSELECT 1;\n' | migration 001_a_rollback
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate rollback
    assert_status 10
    assert_stderr irreversible
}

@test "an empty rollback script is told" {
    migration 001_a <<<'SELECT 1;'
    migration 001_a_rollback <<<'-- nothing to undo'
    run_pgmigrate apply
    run_pgmigrate rollback
    assert_status 0
    assert_stderr "has no statements"
    assert_equal "$(applied)" ""
}

@test "--dry-run runs everything and keeps nothing" {
    shop
    run_pgmigrate rollback --to 1 --dry-run --json
    assert_status 0
    assert_equal "$(json '[.migrations[] | .version, .state] | join(" ")')" "003_c tried 002_b tried"
    assert_equal "$(json '[.migrations[] | .attempts, (.statements | length)] | join(" ")')" "1 1 1 1"
    assert_equal "$(tables)" "a b c"
    assert_equal "$(applied)" "001_a 002_b 003_c"
    assert_value "select count(*) from schema_migrations_log where action <> 'applied'" 0
    migration 002_b_rollback <<<'DROP TABLE b; SELECT pg_sleep(0.2);'
    run_pgmigrate rollback --to 1 --dry-run --use=file --json
    assert_equal "$(json '[.migrations[] | .execution_ms >= 200] | join(" ")')" "false true"
    assert_equal "$(json '.migrations[1].statements | length, .[1].ms >= 200' | xargs)" "2 true"
    migration 002_b_rollback <<<$'DROP TABLE b;\nDROP TABLE nothing;'
    run_pgmigrate rollback --to 1 --dry-run --use=file
    assert_status 1
    assert_stderr "002_b_rollback.sql:2:"
}

@test "a script that fails leaves nothing behind and is shown at its line and column" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    printf 'DROP TABLE a;\n  DROP TABLE nothing;\n' | migration 001_a_rollback
    run_pgmigrate apply
    run_pgmigrate rollback --json
    assert_status 1
    assert_equal "$(json '.error.line, .error.column')" "$(printf '2\n3')"
    assert_stderr 'table "nothing" does not exist'
    assert_stderr "stored"
    assert_equal "$(tables)" a
    assert_equal "$(applied)" 001_a
}

@test "of several, one that would fail stops all before the first" {
    shop
    psql_value "create view v as select * from b"
    run_pgmigrate rollback --to 1
    assert_status 1
    assert_stderr "002_b"
    assert_equal "$(tables)" "a b c"
}

@test "of several, one that fails at its COMMIT leaves the ones before rolled back and says so" {
    refuse_at_commit
    migration 001_a <<<'SELECT 1;'
    migration 001_a_rollback <<<'UPDATE refuses SET id = 2;'
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
    run_pgmigrate apply
    run_pgmigrate rollback --steps 2 --json
    assert_status 1
    assert_equal "$(json '.error.sqlstate')" P0001
    assert_equal "$(json '[.migrations[].state] | join(" ")')" "rolled_back failed"
    assert_stderr "1 of 2 rolled back; 001_a failed and stays applied"
    assert_equal "$(applied)" 001_a
    assert_value "select id from refuses" 1
}

# Tables with a deferred foreign key between them.
family()
{
    psql_value "create table parent (id int primary key); insert into parent values (1);
        create table child (id int references parent deferrable initially deferred)"
}

@test "of several, one that would fail at its COMMIT stops all before the first, also in a dry run" {
    family
    migration 001_a <<<'INSERT INTO child VALUES (1);'
    migration 001_a_rollback <<<'UPDATE child SET id = 2;'
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
    run_pgmigrate apply
    run_pgmigrate rollback --steps 2 --json
    assert_status 1
    assert_equal "$(json '.error | .sqlstate, .file')" "$(printf '23503\n001_a (rollback as stored)')"
    assert_stderr "at COMMIT: insert or update"
    assert_stderr "Nothing was rolled back"
    assert_equal "$(applied)" "001_a 002_b"
    run_pgmigrate rollback --steps 2 --dry-run
    assert_status 1
    assert_stderr "at COMMIT: insert or update"
}

@test "a script that is tried finds nothing of the one before it left to COMMIT, and may itself leave something to it" {
    family
    psql_value "create schema unique_names; create table unique_names.child (id int primary key deferrable initially immediate)"
    for number in 1 2; do
        migration "00${number}_a" <<<'SELECT 1;'
    done
    # Who has events pending cannot be altered; a key may come later in the transaction, also where it is made here.
    migration 002_a_rollback <<<'INSERT INTO child VALUES (2); INSERT INTO parent VALUES (2);'
    migration 001_a_rollback <<<'ALTER TABLE child ADD note text; INSERT INTO child VALUES (3); INSERT INTO parent VALUES (3);
        CREATE TABLE other (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED); INSERT INTO other VALUES (4);
        INSERT INTO parent VALUES (4);'
    run_pgmigrate apply
    run_pgmigrate rollback --steps 2
    assert_status 0
    assert_value "select count(*) from child join parent using (id)" 2
    assert_equal "$(applied)" ""
}

@test "a failed rollback is in the log" {
    refuse_at_commit
    migration 001_a <<<'SELECT 1;'
    migration 001_a_rollback <<<'UPDATE refuses SET id = 2;'
    run_pgmigrate apply
    run_pgmigrate rollback
    assert_status 1
    assert_value "select action, version, detail = 'at COMMIT: no' from schema_migrations_log order by at desc limit 1" \
        'rollback_failed|001_a|t'
    assert_value "select state from schema_migrations" applied
    run_pgmigrate history
    assert_output rollback_failed
}

@test "notices of a script are told once" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<"DO \$\$ BEGIN RAISE NOTICE 'going back'; END \$\$; DROP TABLE a;"
    run_pgmigrate apply
    run_pgmigrate rollback
    assert_status 0
    assert_equal "$(grep -c "going back" <<<"$stderr")" 1
}

@test "the rollback script has directives of its own" {
    psql_value "drop role if exists undo_role; create role undo_role; grant undo_role to current_user;
        grant create on schema public to undo_role"
    printf -- '-- pgmigrate: variables\nCREATE TABLE :"name" (id int);\n' | migration 001_a
    printf -- '-- pgmigrate: variables, statement_timeout=7s, role=undo_role\nSET LOCAL lock_timeout = 77;\nALTER TABLE :"name" RENAME TO gone;
CREATE TABLE kept AS SELECT current_user AS who, current_setting($$statement_timeout$$) AS timeout;\n' |
        sed 's/ALTER TABLE .*/SELECT 1;/' | migration 001_a_rollback
    run_pgmigrate apply --set name=shelf
    assert_status 0
    run_pgmigrate rollback
    assert_status 0
    assert_value "select * from kept" "undo_role|7s"
    psql_value "drop owned by undo_role; drop role undo_role"
}

@test "the forward script's variables directive does not reach the rollback script" {
    printf -- '-- pgmigrate: variables\nCREATE TABLE :"name" (id int);\n' | migration 001_a
    migration 001_a_rollback <<<'DROP TABLE :"name";'
    run_pgmigrate apply --set name=shelf
    run_pgmigrate rollback --set name=shelf
    assert_status 2
    assert_stderr variables
    assert_stderr "--use=file"
    printf -- '-- pgmigrate: variables\nDROP TABLE :"name";\n' | migration 001_a_rollback
    run_pgmigrate rollback --use=file
    assert_status 2
    run_pgmigrate rollback --use=file --set name=shelf
    assert_status 0
    assert_equal "$(tables)" ""
}

@test "after a rollback the verify script of what is newest again must hold" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_verify <<<"SELECT to_regclass('a') IS NOT NULL;"
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 002_b_rollback <<<'DROP TABLE b; DROP TABLE a;'
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate rollback
    assert_status 1
    assert_stderr 001_a_verify.sql
    assert_equal "$(tables)" "a b"
}

@test "a verify script finds the same session after a rollback as when its migration was applied" {
    psql_value "do \$\$ begin create role verify_role; exception when duplicate_object then null; end \$\$;
        grant verify_role to current_user; grant create, usage on schema public to verify_role"
    printf -- '-- pgmigrate: role=verify_role, statement_timeout=7s\n%s\n' \
        "CREATE TABLE a (id int); SET search_path = ''; SET standard_conforming_strings = off;" | migration 001_a
    migration 001_a_verify <<'SQL'
SELECT current_user = 'verify_role', current_setting('statement_timeout') = '7s', length('\') = 1, count(*) = 0 FROM a;
SQL
    migration 002_b <<<'SELECT 1;'
    printf -- '-- pgmigrate: statement_timeout=9s\n%s\n' "SET search_path = ''; SET ROLE pg_monitor;" | migration 002_b_rollback
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate rollback
    assert_status 0
    assert_equal "$(applied)" 001_a
}

@test "a table that was there first is rolled back from, too" {
    psql_value "create table schema_migrations (version varchar(50) primary key, applied_at timestamptz default now(),
            applied_by text, description text);
        insert into schema_migrations values ('002', now() - interval '2 h'), ('001', now() - interval '1 h');
        create table a (id int); create table b (id int)"
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 002_b <<<'CREATE TABLE b (id int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
    run_pgmigrate rollback
    assert_status 10
    assert_stderr "Its file has one now"
    run_pgmigrate rollback --use=file --dry-run
    assert_status 0
    # Neither of these has changed the table.
    assert_value "select count(*) from pg_attribute where attrelid = 'schema_migrations'::regclass and attnum > 0" 4
    run_pgmigrate rollback --use=file
    assert_status 0
    assert_equal "$(applied)" 002
    assert_equal "$(tables)" b
    assert_value "select \"row\" ->> 'version' from schema_migrations_log where action = 'rolled_back'" 001
}

@test "another tool's history is refused by name, and an empty database has nothing to roll back" {
    run_pgmigrate rollback
    assert_status 0
    assert_output "nothing to roll back"
    assert_value "select to_regclass('schema_migrations') is null" t
    psql_value "create table schema_migrations (version bigint not null primary key, dirty boolean not null);
        insert into schema_migrations values (1, false)"
    run_pgmigrate rollback
    assert_status 6
    assert_stderr golang-migrate
}

@test "what a baseline marked is rolled back like any other" {
    psql_value "create table a (id int)"
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    run_pgmigrate baseline 1 --reason "was there"
    assert_status 0
    run_pgmigrate rollback
    assert_status 0
    assert_equal "$(tables)" ""
}

@test "it waits for the run lock like apply" {
    shop
    migration 004_d <<<'SELECT pg_sleep(20);'
    start_pgmigrate apply
    wait_until run_lock_held
    run_pgmigrate rollback --wait-lock 1
    assert_status 5
    assert_stderr "the run lock is held by pid"
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_equal "$(tables)" "a b c"
}

@test "while another run is at its first migration, it is not said that there is nothing to roll back" {
    local rollback
    printf '[environment production]\nprotected = yes\nrehearsal_max_age =\n' >pgmigrate.conf
    psql_value "create table go ()"
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 001_a <<'SQL'
CREATE TABLE a (id int);
DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.05); END LOOP; END $$;
SQL
    start_pgmigrate apply
    wait_until sleeping
    # What it will be is not known before, so a protected environment asks.
    run_pgmigrate rollback -e production
    assert_status 10
    pgmigrate rollback >rollback.out 2>rollback.err 3>&- &
    rollback=$!
    wait_until grep -q "the run lock is held by pid" rollback.err
    psql_value "insert into go default values"
    wait_pgmigrate
    assert_status 0
    wait "$rollback"
    grep "1 of 1 rolled back" rollback.out
    assert_equal "$(tables) $(applied)" "go "
}

@test "a table lock is waited for in short attempts, also by the trial" {
    shop
    hold holder "select count(*) from c"
    run_pgmigrate rollback --max-wait 3 --json
    assert_status 5
    assert_equal "$(json '.error.sqlstate')" 55P03
    [[ $(json '.error.detail') == "Given up after "*"; last blocked by pid"* ]]
    assert_equal "$(applied)" "001_a 002_b 003_c"
    start_pgmigrate rollback
    wait_until grep -q "retr" background.err
    release holder
    wait_pgmigrate
    assert_status 0
    assert_equal "$(tables)" "a b"
}

@test "what a script does to the session does not reach the next, nor the history" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<"DROP TABLE a; SET search_path = ''; SET ROLE pg_monitor;"
    migration 000_z <<<'CREATE TABLE z (id int);'
    migration 000_z_rollback <<<'DROP TABLE z;'
    run_pgmigrate apply
    run_pgmigrate rollback --steps 2
    assert_status 0
    assert_equal "$(applied)" ""
}

@test "a client killed in the middle leaves everything as it was" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a; SELECT pg_sleep(30);'
    run_pgmigrate apply
    start_pgmigrate rollback
    wait_until sleeping
    kill -KILL "$PGMIGRATE_PID"
    wait_pgmigrate
    wait_until no_session
    assert_equal "$(tables)" a
    assert_equal "$(applied)" 001_a
}

@test "SIGINT while it runs: cancelled, and it says what stays" {
    migration 001_a <<<'CREATE TABLE a (id int); CREATE TABLE tried (n int); CREATE SEQUENCE s;'
    # The first run of this script is the trial.
    migration 001_a_rollback <<<"DROP TABLE a; SELECT CASE WHEN nextval('s') > 1 THEN pg_sleep(30) END;"
    run_pgmigrate apply
    start_pgmigrate rollback
    wait_until sleeping
    kill -INT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 130
    assert_equal "$(applied)" 001_a
    [[ $stderr == *"0 of 1 rolled back"* ]]
}

@test "what is the newest again must verify, unless --no-verify says otherwise" {
    migration 001_t <<<'CREATE TABLE t (id int);'
    migration 001_t_verify <<<'SELECT count(*) = 0 FROM t;'
    run_pgmigrate apply
    migration 002_u <<<'INSERT INTO t VALUES (1);'
    migration 002_u_rollback <<<'SELECT 1;'
    run_pgmigrate apply
    run_pgmigrate rollback
    assert_status 1
    assert_stderr "001_t_verify.sql"
    assert_value "select count(*) from schema_migrations" 2
    run_pgmigrate rollback --no-verify
    assert_status 0
    assert_value "select version from schema_migrations" 001_t
}

@test "rows that are replaced by as many others are lost" {
    migration 001_a <<<'CREATE TABLE a (i int);'
    echo 'TRUNCATE a; INSERT INTO a SELECT 0 FROM generate_series(1, 100);' >migrations/001_a_rollback.sql
    run_pgmigrate apply
    psql_value "insert into a select generate_series(1, 100)"
    run_pgmigrate rollback --json
    assert_status 10
    assert_equal "$(json '.losses | map("\(.kind) \(.object) \(.rows)") | join(", ")')" "rows public.a 100"
    # Rewriting, with rows put in, loses none.
    echo 'INSERT INTO a VALUES (1); ALTER TABLE a ALTER i TYPE bigint;' >migrations/001_a_rollback.sql
    run_pgmigrate rollback --use=file --dry-run --json
    assert_equal "$(json '.losses | length')" 0
}

@test "a rollback script that cannot be cut is refused before the migration is applied" {
    migration 001_a <<<'CREATE TABLE a (i int);'
    echo "DROP TABLE 'a;" >migrations/001_a_rollback.sql
    run_pgmigrate plan
    assert_status 2
    run_pgmigrate apply
    assert_status 2
    assert_stderr "migrations/001_a_rollback.sql:1:12"
    assert_value "select to_regclass('a') is null" t
}
