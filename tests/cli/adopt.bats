# SPDX-License-Identifier: PostgreSQL
#
# Databases that have a history already: a hand-made table is taken over, another tool's is left alone.

load helpers

two_migrations()
{
    echo 'CREATE TABLE users ();' | migration 001_users
    echo 'CREATE TABLE orders ();' | migration 002_orders
}

hand_made_table()
{
    psql_value "CREATE TABLE schema_migrations (version varchar(50) PRIMARY KEY, applied_at timestamptz DEFAULT now(),
                    applied_by varchar(50), description text);
                INSERT INTO schema_migrations VALUES ('001', '2026-01-02 03:04:05+00', 'ann', 'users')"
}

columns_of() # TABLE
{
    psql_value "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = '$1'::regclass AND attnum > 0"
}

@test "a hand-made table is read by status and not touched" {
    two_migrations
    hand_made_table
    before=$(columns_of schema_migrations)
    run_pgmigrate status --json
    assert_status 0
    assert_equal "$(json '.migrations[] | .version + " " + .state' | paste -sd,)" "001_users applied,002_orders pending"
    assert_equal "$(json '.migrations[0].applied_at' | cut -c1-19)" "2026-01-02T03:04:05"
    assert_equal "$(columns_of schema_migrations)" "$before"
}

@test "the first apply adopts a hand-made table and goes on from there" {
    two_migrations
    hand_made_table
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT string_agg(version, ',' ORDER BY sequence) FROM schema_migrations" "001,002_orders"
    assert_value "SELECT to_regclass('users') IS NULL AND to_regclass('orders') IS NOT NULL" t
    assert_value "SELECT applied_by || description FROM schema_migrations WHERE version = '001'" annusers
    assert_value "SELECT string_agg(action, ',' ORDER BY id) FROM schema_migrations_log" "adopted,applied"
    run_pgmigrate apply
    assert_status 0
}

@test "a row belongs to the same file before and after adoption, whatever blanks follow its version" {
    two_migrations
    migration 003_more <<<'CREATE TABLE more ();'
    for type in 'varchar(20)' text 'char(20)'; do
        psql_value "DROP TABLE IF EXISTS schema_migrations, schema_migrations_log, more;
            CREATE TABLE schema_migrations (version $type PRIMARY KEY, applied_at timestamptz DEFAULT now());
            INSERT INTO schema_migrations VALUES ('001_users  '), ('002 ')"
        run_pgmigrate status --json
        assert_equal "$(json '.migrations[].state' | paste -sd,)" applied,applied,pending
        run_pgmigrate apply
        assert_status 0
        run_pgmigrate status --json
        assert_equal "$(json '.migrations[].state' | paste -sd,)" applied,applied,applied
    done
}

@test "migrations that record themselves by number can go on doing so in an adopted table" {
    hand_made_table
    echo 'CREATE TABLE users ();' | migration 001_users
    migration 002_orders <<'SQL'
BEGIN;
CREATE TABLE orders ();
INSERT INTO schema_migrations (version, description, applied_at) VALUES ('002', 'Orders', now()) ON CONFLICT DO NOTHING;
COMMIT;
SQL
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT string_agg(version || ':' || description, ',' ORDER BY sequence) FROM schema_migrations" \
        "001:users,002_orders:Orders"
}

@test "another tool's table under our name is named and left alone" {
    two_migrations
    psql_value "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
                INSERT INTO schema_migrations VALUES (1, false)"
    run_pgmigrate apply
    assert_status 6
    assert_stderr 'golang-migrate'
    assert_stderr 'pgmigrate baseline VERSION'
    refute_stderr 'warning: table' # the error says it all
    assert_value "SELECT to_regclass('users') IS NULL AND to_regclass('orders') IS NULL" t
    assert_equal "$(columns_of schema_migrations)" "version bigint, dirty boolean"
}

@test "with another history_table, what the other tool applied is marked by baseline" {
    two_migrations
    psql_value "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
                INSERT INTO schema_migrations VALUES (1, false)"
    run_pgmigrate apply --history-table pgmigrate_history
    assert_status 6
    assert_stderr 'a history of golang-migrate in "public.schema_migrations"'
    run_pgmigrate baseline 1 --history-table pgmigrate_history
    assert_status 0
    run_pgmigrate apply --history-table pgmigrate_history
    assert_status 0
    assert_value "SELECT to_regclass('users') IS NULL AND to_regclass('orders') IS NOT NULL" t
    assert_value "SELECT count(*) FROM schema_migrations" 1
}

@test "baseline 0 begins an empty history beside another tool's" {
    two_migrations
    psql_value "CREATE TABLE django_migrations (id bigint, app text, name text, applied timestamptz);
                INSERT INTO django_migrations VALUES (1, 'auth', '0001_initial', now())"
    run_pgmigrate apply
    assert_status 6
    assert_stderr 'pgmigrate baseline 0'
    run_pgmigrate baseline 0
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT to_regclass('users') IS NOT NULL AND to_regclass('orders') IS NOT NULL" t
}

@test "a table of somebody's that has the log's name is left alone" {
    psql_value "create table schema_migrations_log (id int, msg text); insert into schema_migrations_log values (1, 'x')"
    migration 001_a <<<'CREATE TABLE a (id int);'
    run_pgmigrate apply
    assert_status 6
    assert_stderr 'What has the name of its log, with "_log" behind it, is something else.'
    assert_value "select to_regclass('schema_migrations') is null" t
    psql_value "update schema_migrations_log set msg = 'y'"
    run_pgmigrate apply --history-table ours
    assert_status 0
}

@test "a schema that is there is no reason to ask for the right to make one" {
    role=${TEST_DATABASE}_plain
    psql_value "create role $role login; create schema kept authorization $role"
    migration 001_a <<<'CREATE TABLE kept.a (id int);'
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate apply --history-table kept.h
    assert_status 0
    drop_test_database
    psql_server "drop role $role"
}

@test "quote_all_identifiers and a search_path with other types do not hide the history" {
    migration 001_a <<<'CREATE TABLE a (id int);'
    PGOPTIONS='-c quote_all_identifiers=on' run_pgmigrate apply
    assert_status 0
    psql_value "create domain public.text as pg_catalog.text"
    PGOPTIONS='-c quote_all_identifiers=on -c search_path=public,pg_catalog' run_pgmigrate status --json
    assert_status 0
    assert_equal "$(json '.migrations[0].state')" applied
    migration 002_b <<<'CREATE TABLE b (id int);'
    PGOPTIONS='-c quote_all_identifiers=on' run_pgmigrate apply
    assert_status 0
}

@test "a view of that name is refused with the reason" {
    two_migrations
    psql_value "CREATE VIEW schema_migrations AS SELECT 'x'::text AS version, now() AS applied_at"
    run_pgmigrate apply
    assert_status 6
    assert_stderr 'It is a view.'
    assert_value "SELECT to_regclass('users') IS NULL" t
}

@test "two first runs at once create the history once" {
    two_migrations
    start_pgmigrate apply
    run_pgmigrate apply
    assert_status 0
    wait_pgmigrate
    assert_status 0
    assert_value "SELECT count(*) FROM schema_migrations_log WHERE action = 'applied'" 2
}

@test "a role without the right to create the table is told the grant" {
    two_migrations
    psql_value "CREATE ROLE plain_$TEST_DATABASE LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    for command in plan apply; do
        run_pgmigrate "$command" -d "$(database_url "$TEST_DATABASE" "plain_$TEST_DATABASE")"
        assert_status 1
        assert_stderr 'could not create history table "public.schema_migrations": permission denied for schema public'
        assert_stderr "GRANT CREATE ON SCHEMA \"public\" TO \"plain_$TEST_DATABASE\""
    done
    run_pgmigrate plan -d "$(database_url "$TEST_DATABASE" "plain_$TEST_DATABASE")" --history-table kept.h
    assert_status 1
    assert_stderr "permission denied for database $TEST_DATABASE"
    local sql=${stderr#*for this role (}
    psql_value "${sql%%)*}"
    run_pgmigrate baseline latest -d "$(database_url "$TEST_DATABASE" "plain_$TEST_DATABASE")" --history-table kept.h
    assert_status 0
    run_pgmigrate plan -d "$(database_url "$TEST_DATABASE" "plain_$TEST_DATABASE")" --history-table other.h
    sql=${stderr#*let it do so (}
    psql_value "${sql%%)*}"
    run_pgmigrate plan -d "$(database_url "$TEST_DATABASE" "plain_$TEST_DATABASE")" --history-table other.h
    assert_status 0
    drop_test_database
    psql_server "DROP ROLE plain_$TEST_DATABASE"
}

@test "a table of somebody else's is adopted by its owner only, and plan says so" {
    local role=plain_$TEST_DATABASE
    two_migrations
    hand_made_table
    psql_value "CREATE ROLE $role LOGIN; GRANT CREATE ON SCHEMA public TO $role; GRANT ALL ON schema_migrations TO $role"
    for command in plan apply; do
        run_pgmigrate "$command" -d "$(database_url "$TEST_DATABASE" "$role")"
        assert_status 1
        assert_stderr 'could not adopt history table "public.schema_migrations": must be owner of table schema_migrations'
        assert_stderr "ALTER TABLE \"public\".\"schema_migrations\" OWNER TO \"$role\""
    done
    psql_value "ALTER TABLE schema_migrations OWNER TO $role"
    run_pgmigrate apply -d "$(database_url "$TEST_DATABASE" "$role")"
    psql_value "DROP OWNED BY $role; DROP ROLE $role"
    assert_status 0
}

@test "a table that has only some of our columns is looked at and completed" {
    psql_value "create table schema_migrations (version text primary key, applied_at timestamptz, rollback_text text);
        insert into schema_migrations values ('001', now(), null)"
    migration 001_t <<<'CREATE TABLE t (id int);'
    migration 002_u <<<'CREATE TABLE u (id int);'
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('t') is null, to_regclass('u') is not null" "t|t"
    run_pgmigrate apply
    assert_status 0
    assert_output "nothing to apply"
}

@test "a view with the columns of the history is refused once there is something to do" {
    migration 001_t <<<'CREATE TABLE t (id int);'
    run_pgmigrate apply
    assert_status 0
    psql_value "alter table schema_migrations rename to real_migrations;
        create view schema_migrations as select * from real_migrations"
    run_pgmigrate apply
    assert_status 0
    assert_output "nothing to apply"
    migration 002_u <<<'CREATE TABLE u (id int);'
    run_pgmigrate apply
    assert_status 6
    assert_stderr '"public.schema_migrations" cannot be used as history table'
    assert_value "select to_regclass('u') is null" t
}

failed_table() # COLUMN VALUE
{
    psql_value "CREATE TABLE schema_migrations (version varchar(50) PRIMARY KEY, applied_at timestamptz DEFAULT now(),
                    $1 boolean NOT NULL DEFAULT true);
                INSERT INTO schema_migrations VALUES ('001', now(), not $2), ('002', now(), $2)"
}

@test "a row that says it failed counts as failed, and stops apply with the remedy" {
    two_migrations
    for column in success:false dirty:true; do
        psql_value "DROP TABLE IF EXISTS schema_migrations"
        failed_table "${column%:*}" "${column#*:}"
        run_pgmigrate status --json
        assert_equal "$(json '.migrations[] | .version + " " + .state' | paste -sd,)" "001_users applied,002_orders failed"
        run_pgmigrate apply
        assert_status 6
        assert_stderr "marked as failed"
        assert_stderr "--mark-rolled-back"
        assert_value "SELECT to_regclass('orders') IS NULL" t
    done
}

@test "a failed row of an adopted table is settled by repair, one way or the other" {
    two_migrations
    failed_table success false
    run_pgmigrate repair 002_orders --mark-rolled-back --reason "nothing was left"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT to_regclass('orders') IS NOT NULL" t
    assert_value "SELECT string_agg(version || ' ' || state, ',' ORDER BY sequence) FROM schema_migrations" "001 applied,002_orders applied"

    psql_value "DROP TABLE schema_migrations, schema_migrations_log, orders"
    failed_table success false
    run_pgmigrate repair 002_orders --mark-applied --reason "all is there"
    assert_status 0
    run_pgmigrate status --json
    assert_equal "$(json '.migrations[] | .version + " " + .state' | paste -sd,)" "001_users applied,002_orders applied"
    assert_value "SELECT count(*) FROM schema_migrations" 2
    run_pgmigrate apply
    assert_status 0
}

@test "adoption keeps a failed row failed" {
    two_migrations
    echo 'CREATE TABLE more ();' | migration 003_more
    failed_table success false
    run_pgmigrate repair 1 --accept-checksum --reason "stored now"
    assert_status 0
    assert_value "SELECT string_agg(version || ' ' || state, ',' ORDER BY version) FROM schema_migrations" "001_users applied,002 failed"
    run_pgmigrate apply
    assert_status 6
    assert_stderr "marked as failed"
}

@test "the log refuses to be changed, by its owner, too, and an adopted one likewise" {
    two_migrations
    for first in none hand_made_table; do
        psql_value "DROP TABLE IF EXISTS schema_migrations, schema_migrations_log, users, orders"
        [ "$first" = none ] || hand_made_table
        run_pgmigrate apply
        assert_status 0
        for statement in "UPDATE schema_migrations_log SET who = 'nobody'" "DELETE FROM schema_migrations_log" \
            "TRUNCATE schema_migrations_log"; do
            run psql_value "$statement"
            [ "$status" -ne 0 ]
            assert_output 'lines are only added to the log "public.schema_migrations_log"'
            assert_output "DISABLE TRIGGER append_only"
        done
    done
}

@test "a role that may not use plpgsql gets a log without the guard" {
    two_migrations
    psql_value "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; CREATE ROLE plain_$TEST_DATABASE LOGIN;
        GRANT CREATE ON SCHEMA public TO plain_$TEST_DATABASE"
    run_pgmigrate apply -d "$(database_url "$TEST_DATABASE" "plain_$TEST_DATABASE")"
    result=$status
    triggers=$(psql_value "SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only'")
    psql_value "DROP OWNED BY plain_$TEST_DATABASE; DROP ROLE plain_$TEST_DATABASE"
    assert_equal "$result $triggers" "0 0"
}

@test "a constraint that an adopted table has of its own is named with what to do" {
    psql_value "create table schema_migrations (version text primary key, applied_at timestamptz,
                    description text check (description <> 'b'));
                insert into schema_migrations values ('001_a', now(), 'a')"
    migration 001_a <<<'SELECT 1;'
    migration 002_b <<<'CREATE TABLE b (id int);'
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'violates check constraint "schema_migrations_description_check"'
    assert_stderr "has a constraint or trigger that was there before pgmigrate: take it away, or use another table"
    assert_value "select to_regclass('b') is null" t
}

# Whether plan and apply refuse a table in the same words, and status reads it all the same.
refused_alike() # SQL DETAIL
{
    psql_value "drop table if exists schema_migrations cascade; $1;
        insert into schema_migrations (version, applied_at) values ('001', now())"
    for command in plan apply; do
        run_pgmigrate "$command"
        assert_status 6
        assert_stderr 'error: "public.schema_migrations" cannot be used as history table'
        assert_stderr "$2"
        assert_stderr "Change that, or set history_table to another name"
    done
    run_pgmigrate status --json
    assert_equal "$(json '.history.shape, .migrations[].state' | paste -sd,)" "unusable,applied,pending"
}

@test "a table that could not be changed or written is refused by plan as by apply" {
    two_migrations
    refused_alike "create table schema_migrations (version varchar(50) primary key, applied_at timestamptz);
            create view report as select version from schema_migrations" \
        'Its column "version" is too short, and cannot be changed while rule _RETURN on view report depends on it.'
    refused_alike "create table schema_migrations (version text primary key deferrable, applied_at timestamptz)" \
        'The constraint that makes its column "version" unique is deferrable.'
    refused_alike "create table schema_migrations (version text primary key, applied_at timestamptz);
            create rule once as on update to schema_migrations do instead nothing" \
        'It has the rule "once".'
    refused_alike "create table schema_migrations (version text primary key, applied_at timestamptz,
            state text default 'ok' constraint known check (state in ('ok', 'bad')))" \
        'Its column "state" has the constraint "known".'
    assert_value "select to_regclass('orders') is null" t
    psql_value "drop table schema_migrations;
        create table schema_migrations (version text primary key, applied_at timestamptz);
        create view report as select version from schema_migrations"
    run_pgmigrate apply
    assert_status 0
}

@test "an unlogged table is no history, and a trigger must not change the version" {
    psql_value "create unlogged table schema_migrations (version text primary key, applied_at timestamptz default now())"
    migration 001_a <<<'SELECT 1;'
    run_pgmigrate plan
    assert_status 6
    assert_stderr "an unlogged table, which a crash of the server empties"
    psql_value "alter table schema_migrations set logged;
        create function up() returns trigger language plpgsql as 'begin new.version = upper(new.version); return new; end';
        create trigger up before insert on schema_migrations for each row execute function up()"
    run_pgmigrate apply
    assert_status 1
    assert_stderr "the history table has written another version than it was given"
    assert_value "select count(*) from schema_migrations" 0
}
