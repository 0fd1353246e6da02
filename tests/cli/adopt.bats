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
    DATABASE_URL=$(database_url "$TEST_DATABASE" "plain_$TEST_DATABASE") run_pgmigrate apply
    psql_value "DROP ROLE plain_$TEST_DATABASE"
    assert_status 1
    assert_stderr 'could not create history table "public.schema_migrations": permission denied'
    assert_stderr "GRANT CREATE ON SCHEMA \"public\" TO \"plain_$TEST_DATABASE\""
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
