# SPDX-License-Identifier: PostgreSQL
# Restores as roles that may not do everything.

load helpers
load backup

setup()
{
    backup_setup
    copy=${TEST_DATABASE}_copy
    maker=${TEST_DATABASE}_maker
    owner=${TEST_DATABASE}_owner
    psql_server "create role $maker login createdb; create role $owner"
    psql_server "alter database $TEST_DATABASE owner to $maker"
    MAKER_URL=$(database_url "$TEST_DATABASE" "$maker")
}

teardown()
{
    psql_server "drop database if exists $copy with (force)"
    test_teardown
    drop_test_database
    psql_server "drop role $maker, $owner"
}

restore_copy() # ARGUMENT...
{
    DATABASE_URL=$MAKER_URL run_pgmigrate restore latest --to "$copy" "$@"
}

# A schema of the owner's with a table in it.
create_owned()
{
    psql_value "create schema s authorization $owner; create table s.notes as select 1 as id; alter table s.notes owner to $owner"
}

@test "owners that the role cannot act as are named before anything is made" {
    create_owned
    take_backup
    for dry in "" --dry-run; do
        # shellcheck disable=SC2086 # one word or none
        restore_copy $dry
        assert_status 10
        assert_stderr "role \"$maker\" cannot make what belongs to other roles: $owner"
        assert_stderr "Restore with --no-owner, or as a role that inherits from them (GRANT $owner TO \"$maker\")"
        assert_equal "$(psql_server "select count(*) from pg_database where datname = '$copy'")" 0
    done
    restore_copy --no-owner
    assert_status 0
    psql_server "drop database $copy"
    psql_server "grant $owner to $maker"
    restore_copy
    assert_status 0
}

@test "an owner of the database counts, too, and nobody is told to make a role a superuser" {
    psql_server "alter database $TEST_DATABASE owner to postgres"
    take_backup
    restore_copy
    assert_status 10
    assert_stderr "cannot make what belongs to other roles: postgres"
    refute_stderr "GRANT"
    restore_copy --no-owner
    assert_status 0
}

@test "default privileges of others are named before anything is made" {
    psql_value "alter default privileges for role $owner grant select on tables to public"
    take_backup
    restore_copy --no-owner
    assert_status 10
    assert_stderr "cannot make what belongs to other roles: $owner"
    assert_stderr "Restore with --no-privileges, or"
    create_owned
    take_backup
    restore_copy
    assert_stderr "Restore with --no-owner and --no-privileges, or"
    restore_copy --no-owner --no-privileges
    assert_status 0
}

@test "of some tables only their owners count" {
    create_owned
    psql_value "create table mine as select 1 as id; alter table mine owner to $maker"
    take_backup
    restore_copy --table mine
    assert_status 0
}

@test "an owner that may not create anything in the schema yet is told of" {
    psql_server "grant $owner to $maker"
    psql_value "create table notes as select 1 as id; alter table notes owner to $owner"
    take_backup
    restore_copy
    [ "$(server_major)" -ge 15 ] || { assert_status 0; return; }
    assert_status 1
    assert_stderr "permission denied for schema public"
    assert_stderr "Restore with --no-owner, or as a superuser"
    assert_equal "$(psql_server "select count(*) from pg_database where datname = '$copy'")" 0
}

@test "rows that row-level security hides from the role keep it from comparing only" {
    psql_value "create table notes as select 1 as id; alter table notes owner to $maker;
        alter table notes enable row level security, force row level security; create policy p on notes using (true)"
    take_backup
    restore_copy
    assert_status 7
    assert_stderr 'could not read "public.notes" back: query would be affected by row-level security'
    assert_stderr "role \"$maker\" cannot read all rows of that table"
    restore_copy --resume --no-compare
    assert_status 0
}
