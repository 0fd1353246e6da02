# SPDX-License-Identifier: PostgreSQL
# Backups as roles that may not do everything.

load helpers
load backup

setup()
{
    backup_setup
    ROLE=${TEST_DATABASE}_role
    psql_server "create role $ROLE login"
    create_table notes 3000
    psql_value "create sequence numbers"
    ROLE_URL=$(database_url "$TEST_DATABASE" "$ROLE")
}

teardown()
{
    psql_value "drop owned by $ROLE cascade"
    test_teardown
    drop_test_database
    psql_server "drop role $ROLE"
}

@test "each thing that the role cannot read is named with what is missing, before anything is copied" {
    migration 001_first <<<"create table a (id int);"
    pgmigrate apply
    psql_value "create schema hidden; create table hidden.t (x int); select lo_create(4711)"
    psql_value "create table \"odd \"\"name\" (x int)"
    DATABASE_URL=$ROLE_URL run_pgmigrate backup create
    assert_status 10
    assert_stderr "role \"$ROLE\" cannot read all of database \"$TEST_DATABASE\""
    assert_stderr 'table "public.notes": lacks SELECT.'
    assert_stderr 'table "public.schema_migrations": lacks SELECT.'
    assert_stderr 'table "hidden.t": lacks USAGE on schema "hidden".'
    assert_stderr 'sequence "public.numbers": lacks SELECT.'
    assert_stderr 'large object 4711: lacks SELECT.'
    assert_stderr 'pg_read_all_data has all of SELECT and USAGE, but for large objects'
    assert_stderr 'table "public.odd "name": lacks SELECT.'
    assert_nothing_left
}

@test "a role with the privileges takes a whole backup" {
    psql_value "grant select on all tables in schema public to $ROLE; grant select on all sequences in schema public to $ROLE"
    DATABASE_URL=$ROLE_URL take_backup --split-larger-than 64kB --verify
    assert_equal "$(json .rows)" 3000
    tar -xOf "$ARCHIVE" globals.sql | grep -q "CREATE ROLE $ROLE"
    assert_equal "$(manifest .role)" "$ROLE"
}

@test "options of user mappings that the role may not read are named as not included" {
    psql_value "grant select on all tables in schema public to $ROLE; grant select on all sequences in schema public to $ROLE;
        create extension postgres_fdw; create server away foreign data wrapper postgres_fdw;
        create user mapping for postgres server away options (password 'hidden')"
    DATABASE_URL=$ROLE_URL take_backup_with_warnings
    assert_stderr 'the options of 1 user mapping, if any, are not in this backup'
    [[ $(manifest '.not_included | join(" ")') == *'The options of the user mapping for "postgres" on server "away"'* ]]
    take_backup
    [[ $(manifest '.not_included | join(" ")') != *'user mapping'* ]]
}

@test "subscriptions that the role may not read are warned of, and nothing says that they are restored" {
    psql_value "grant select on all tables in schema public to $ROLE; grant select on all sequences in schema public to $ROLE"
    psql_value "create subscription sx connection 'dbname=x' publication p with (connect = false, slot_name = none)" 2>/dev/null
    DATABASE_URL=$ROLE_URL run_pgmigrate backup create --json
    psql_value "drop subscription sx"
    assert_status 3
    assert_stderr "subscriptions are not in this backup"
    ARCHIVE=$(json .path)
    assert_equal "$(manifest '.not_included | join(" ")')" 'Subscription "sx": only a superuser can read it.'
}

@test "--role reads as another role, the history too" {
    migration 001_first <<<"create table a (id int);"
    run_pgmigrate apply
    assert_status 0
    psql_server "create role ${ROLE}_reader; grant ${ROLE}_reader to $ROLE"
    psql_value "grant select on all tables in schema public to ${ROLE}_reader"
    psql_server "alter role $ROLE noinherit"
    DATABASE_URL=$ROLE_URL run_pgmigrate backup create --role "${ROLE}_reader"
    named=$stderr
    psql_value "grant select on all sequences in schema public to ${ROLE}_reader"
    DATABASE_URL=$ROLE_URL run_pgmigrate backup create --json --role "${ROLE}_reader"
    refused=0
    [ "$status" = 0 ] || refused=$status
    psql_value "drop owned by ${ROLE}_reader"
    psql_server "drop role ${ROLE}_reader"
    assert_equal "$refused" 0
    [[ $named == *"role \"${ROLE}_reader\" cannot read all"* ]]
    ARCHIVE=$(json .path)
    assert_equal "$(manifest .role)" "${ROLE}_reader"
    assert_equal "$(json .migrations_version)" 001_first
}

@test "rows that row-level security hides are refused, not missing" {
    psql_value "alter table notes owner to $ROLE; alter sequence numbers owner to $ROLE"
    psql_value "alter table notes enable row level security; create policy few on notes using (id < 100)"
    # The owner is not bound by it, unless it is forced.
    DATABASE_URL=$ROLE_URL take_backup --split-larger-than 64kB
    assert_equal "$(json .rows)" 3000
    psql_value "alter table notes force row level security"
    DATABASE_URL=$ROLE_URL run_pgmigrate backup create
    assert_status 10
    assert_stderr 'table "public.notes": lacks BYPASSRLS'
    psql_server "alter role $ROLE bypassrls"
    DATABASE_URL=$ROLE_URL take_backup --split-larger-than 64kB
    assert_equal "$(json .rows)" 3000
}

@test "where pg_dumpall may not read the roles, this database's are kept, with a warning" {
    psql_value "grant select on all tables in schema public to $ROLE; grant select on all sequences in schema public to $ROLE"
    DATABASE_URL=$ROLE_URL take_backup_with_warnings --role-passwords
    assert_stderr "globals.sql holds only those of this database"
    tar -xOf "$ARCHIVE" globals.sql >globals.sql
    grep -q "CREATE ROLE $ROLE" globals.sql
    assert_equal "$(json .warnings)" "$(manifest '.warnings | length')"
    assert_equal "$(manifest '[.warnings[] | select(test("is newer than the server") | not)] | length')" 1
}
