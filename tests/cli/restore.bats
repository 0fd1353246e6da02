# SPDX-License-Identifier: PostgreSQL
# Restoring a backup into a database of its own.

load helpers
load backup
load fidelity

setup()
{
    backup_setup
    copy=${TEST_DATABASE}_copy
}

teardown()
{
    psql_server "drop database if exists $copy with (force)" 2>/dev/null
    test_teardown
    drop_test_database
    psql_server "drop role if exists ${TEST_DATABASE}_owner, ${TEST_DATABASE}_reader" 2>/dev/null
    rm -rf "${FIDELITY_SERVER-}"
}

restore_copy() # ARGUMENT...
{
    run_pgmigrate restore latest --to "$copy" --json "$@"
}

copy_value() # SQL
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$(database_url "$copy")" -c "$1"
}

databases()
{
    psql_server "select string_agg(datname, ' ' order by datname) from pg_database where datname like '$TEST_DATABASE%'"
}

# One bit of a member's content.
flip_bit() # MEMBER
{
    local offset
    offset=$(manifest ".members[] | select(.name == \"$1\") | .offset")
    [ -n "$offset" ]
    printf '%b' "\\x$(printf %02x $(($(od -An -tu1 -j $((offset + 20)) -N 1 "$ARCHIVE") ^ 4)))" |
        dd of="$ARCHIVE" bs=1 seek=$((offset + 20)) conv=notrunc status=none
}

@test "a restored database has what the other had, and the document tells of it" {
    create_table notes 1000
    psql_value "alter table notes add primary key (id)"
    take_backup
    id=$(json .id)
    restore_copy
    assert_status 0
    assert_equal "$(json '[.id, .database, .tables, .rows, .swapped] | join(" ")')" "$id $copy 1 1000 false"
    assert_equal "$(json '.previous_database')" null
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
    assert_equal "$(copy_value "select count(*) from pg_namespace where nspname = 'pgmigrate_restore'")" 0
}

@test "the plan is shown first, and a dry run makes nothing" {
    create_table notes 10
    migration 001_first <<<"create table a (id int);"
    run_pgmigrate apply
    take_backup
    run_pgmigrate restore latest --to "$copy" --dry-run
    assert_status 0
    assert_stderr "1 in the history, the last one applied is 001_first"
    assert_stderr "4 tables, 12 rows"
    assert_stderr "database \"$copy\""
    assert_equal "$(databases)" "$TEST_DATABASE"
}

@test "a backup that is larger than the room on the server's disk is warned of, where that can be known" {
    create_table notes 10
    take_backup
    run_pgmigrate restore latest --to "$copy" --dry-run
    assert_status 0
    refute_stderr "of room"
    # What the plan believes; the restore itself would not.
    jq -cS 'del(.record_sha256) | .raw_bytes = 1152921504606846976' "${ARCHIVE%.tar}.json" >larger
    jq -c --arg sum "$(tr -d '\n' <larger | sha256sum | cut -d ' ' -f 1)" '.record_sha256 = $sum' larger \
        >"${ARCHIVE%.tar}.json"
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --dry-run
    assert_status 9
    assert_stderr "warning: the server has only "
    assert_stderr "of room, and the contents are 1.0 EB, without indexes"
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --dry-run --table notes
    refute_stderr "of room"
    psql_server "create role ${TEST_DATABASE}_reader login createdb"
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --dry-run -d "$(database_url "$TEST_DATABASE" "${TEST_DATABASE}_reader")"
    refute_stderr "of room"
}

@test "a database that has objects is refused, and an empty one is filled" {
    create_table notes 10
    take_backup
    psql_server "create database $copy"
    copy_value "create table mine (id int)"
    restore_copy
    assert_status 10
    assert_equal "$(json .error.message)" "database \"$copy\" exists and is not empty"
    restore_copy --dry-run
    assert_status 10
    copy_value "drop table mine"
    run_pgmigrate restore latest --to "$copy" --dry-run
    assert_status 0
    assert_stderr "into        existing database \"$copy\""
    restore_copy
    assert_status 0
    assert_equal "$(copy_value 'select count(*) from notes')" 10
}

@test "an empty database of another encoding or locale is in the way, and a dry run says so" {
    local locale properties
    create_table notes 10
    take_backup
    locale=$(psql_value "select case datcollate when 'C' then 'C.UTF-8' else 'C' end from pg_database where datname = current_database()")
    for properties in "encoding 'SQL_ASCII' locale 'C'" "encoding 'UTF8' locale '$locale'"; do
        psql_server "create database $copy template template0 $properties"
        restore_copy --dry-run
        assert_status 10
        assert_equal "$(json '.problems | length')" 1
        [[ $(json '.problems[0]') == "database \"$copy\" is empty, but has ENCODING = "*", and the backup's ENCODING = 'UTF8' "* ]]
        restore_copy
        assert_status 10
        [[ $(json .error.message) == "database \"$copy\" is empty, but has "* ]]
        assert_equal "$(copy_value "select count(*) from pg_class where relname = 'notes'")" 0
        restore_copy --confirm "$copy" --dry-run
        [ "$properties" = "${properties/ASCII/}" ] || assert_status 10
        psql_server "drop database $copy"
    done
    psql_server "create database $copy template template0 $properties"
    restore_copy --confirm "$copy"
    assert_status 0
    [[ $(json '.notes | join(" ")') == *"keeps the locale that it had"* ]]
    assert_equal "$(copy_value 'select count(*) from notes')" 10
}

@test "an empty database whose locale is spelt otherwise is filled, and one of another provider is not" {
    (($(server_major) >= 15)) || skip "ICU for a database came with PostgreSQL 15"
    psql_server "create database $copy template template0 encoding 'UTF8' locale_provider icu icu_locale 'de-DE' locale 'C.UTF-8'"
    take_backup -d "$(database_url "$copy")"
    psql_server "drop database $copy"
    psql_server "create database $copy template template0 encoding 'UTF8' locale 'C.UTF-8'"
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --json
    assert_status 10
    [[ $(json .error.message) == *", and the backup's ENCODING = 'UTF8' LOCALE_PROVIDER = icu "*" ICU_LOCALE = 'de-DE' "* ]]
    psql_server "drop database $copy"
    psql_server "create database $copy template template0 encoding 'UTF8' locale_provider icu icu_locale 'de-DE' locale 'C.utf8'"
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --json
    assert_status 0
}

@test "no backup, two ways to name one, and an unknown id are told apart" {
    run_pgmigrate restore
    assert_status 2
    run_pgmigrate restore latest --before 001
    assert_status 2
    run_pgmigrate restore latest
    assert_status 9
    create_table notes 10
    take_backup
    run_pgmigrate restore 20200101T000000Z-nothing-000000
    assert_status 9
    assert_equal "$(databases)" "$TEST_DATABASE"
}

@test "--before finds the last backup without a migration" {
    migration 001_first <<<"create table a (id int);"
    run_pgmigrate apply
    take_backup
    first=$(json .id)
    migration 002_second <<<"create table b (id int);"
    run_pgmigrate apply
    take_backup
    run_pgmigrate restore --before 002 --to "$copy" --json
    assert_status 0
    assert_equal "$(json .id)" "$first"
    assert_equal "$(copy_value "select to_regclass('b') is null")" t
}

@test "--before latest is before what was applied last" {
    run_pgmigrate restore --before latest --to "$copy" --dry-run
    [ "$status" -ne 0 ]
    assert_equal "$(databases)" "$TEST_DATABASE"
    migration 001_first <<<"create table a (id int);"
    run_pgmigrate apply
    take_backup
    first=$(json .id)
    migration 002_second <<<"create table b (id int);"
    run_pgmigrate apply
    take_backup
    run_pgmigrate restore --before latest --to "$copy" --dry-run --json
    assert_status 0
    assert_equal "$(json .id)" "$first"
}

@test "--before passes over what was taken after the migration was rolled back, and says so" {
    migration 001_first <<<"create table a (id int);"
    run_pgmigrate apply
    take_backup
    first=$(json .id)
    migration 002_second <<<"delete from a;"
    migration 002_second_rollback <<<"select 1;"
    run_pgmigrate apply
    run_pgmigrate rollback
    assert_status 0
    take_backup
    third=$(json .id)
    assert_equal "$(jq -c .rolled_back "$PGMIGRATE_REPOSITORY/$third.json")" '["002_second"]'
    run_pgmigrate restore --before 002 --to "$copy" --dry-run
    assert_status 0
    assert_stderr "$first"
    assert_stderr "backup $third is newer, but was taken after migration \"002\" had been applied and rolled back"
    # Applied again, it is the last one from before.
    run_pgmigrate apply
    take_backup
    run_pgmigrate restore --before 002_second --to "$copy" --dry-run
    assert_status 0
    assert_stderr "$third"
}

@test "a materialized view that cannot be filled keeps nothing else from being restored" {
    psql_value "create table t as select 1 as a;
        create function path_bound() returns bigint language sql as 'select count(*) from t';
        create materialized view m as select * from t;
        create materialized view \"bad one\" as select path_bound() as a with no data;
        create materialized view upon_it as select * from m;
        create function public.note() returns event_trigger language plpgsql as 'begin end';
        create event trigger ${TEST_DATABASE}_note on ddl_command_end execute function note()"
    psql_value "set search_path = public; refresh materialized view \"bad one\""
    take_backup
    restore_copy
    assert_status 3
    assert_equal "$(json ".ok")" true
    [[ $(json '.notes | join(" ")') == *'Materialized view "public bad one postgres" (schema, name, owner) is empty: relation "t" does not exist'* ]]
    assert_equal "$(copy_value "select count(*) from upon_it")" 1
    assert_equal "$(copy_value "select count(*) from pg_event_trigger")" 1
    assert_equal "$(copy_value "select relispopulated from pg_class where relname = 'bad one'")" f
    assert_equal "$(copy_value "select count(*) from pg_namespace where nspname = 'pgmigrate_restore'")" 0
}

@test "event triggers that are always enabled see nothing of a restore" {
    psql_value "create table ddl_log (tag text);
        create function note() returns event_trigger language plpgsql as 'begin insert into public.ddl_log values (tg_tag); end';
        create table t as select 1 as a; create materialized view m as select * from t;
        create event trigger ${TEST_DATABASE}_note on ddl_command_end execute function note();
        alter event trigger ${TEST_DATABASE}_note enable always"
    take_backup
    restore_copy
    assert_status 0
    assert_equal "$(copy_value "select count(*) from ddl_log")" 0
    assert_equal "$(copy_value "select evtenabled from pg_event_trigger")" A
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
}

@test "rows that need a setting of the database are loaded, and statistics that cannot be collected are a note" {
    psql_value "alter database \"$TEST_DATABASE\" set app.max = '100'"
    psql_value "create function lim() returns int language sql stable as \$\$select current_setting('app.max')::int\$\$;
        create table t (a int check (a <= lim())); insert into t values (5);
        create extension postgres_fdw; create server nowhere foreign data wrapper postgres_fdw options (host '127.0.0.1', port '1');
        create user mapping for public server nowhere;
        create table parts (a int) partition by list (a);
        create foreign table part_1 partition of parts for values in (1) server nowhere"
    take_backup
    restore_copy
    assert_status 0
    assert_equal "$(copy_value "select sum(a) from t")" 5
    [[ $(json '.notes | join(" ")') == *'Table "public.parts" has no statistics: could not connect to server'* ]]
}

@test "settings that the role may not make are left out with a note" {
    psql_server "create role ${TEST_DATABASE}_maker login createdb"
    psql_value "alter database \"$TEST_DATABASE\" set log_statement = 'all'"
    create_table notes 10
    take_backup
    DATABASE_URL=$(database_url "$TEST_DATABASE" "${TEST_DATABASE}_maker") \
        run_pgmigrate restore latest --to "$copy" --no-owner --no-privileges --json
    assert_status 0
    [[ $(json '.notes | join(" ")') == *"Left out: ALTER DATABASE"*"log_statement"*"permission denied to set parameter"* ]]
    assert_equal "$(copy_value "select count(*) from notes")" 10
    psql_server "drop database $copy"
    psql_server "drop role ${TEST_DATABASE}_maker"
}

@test "settings of the role or the server do not end a restore" {
    create_table notes 10
    take_backup
    psql_server "create role ${TEST_DATABASE}_boss superuser login;
        alter role ${TEST_DATABASE}_boss set default_transaction_read_only = on"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "${TEST_DATABASE}_boss") run_pgmigrate restore latest --to "$copy" --json
    assert_status 0
    psql_server "drop database $copy"
    psql_server "drop role ${TEST_DATABASE}_boss"
}

@test "roles of policies are needed without owners and privileges, too" {
    psql_server "create role ${TEST_DATABASE}_reader"
    psql_value "create table t (id int); create policy p on t to ${TEST_DATABASE}_reader using (true)"
    take_backup
    psql_value "drop table t"
    psql_server "drop role ${TEST_DATABASE}_reader"
    restore_copy --no-owner --no-privileges
    assert_status 10
    [[ $(json .error.message) == *"roles that policies or user mappings are for are missing: \"${TEST_DATABASE}_reader\""* ]]
    restore_copy --no-owner --no-privileges --create-missing-roles
    assert_status 0
    psql_server "drop database $copy"
    psql_server "drop role ${TEST_DATABASE}_reader"
}

@test "--before passes over a backup that looked for the history elsewhere" {
    migration 001_first <<<"create table a (id int);"
    run_pgmigrate apply
    migration 002_second <<<"create table b (id int);"
    run_pgmigrate apply --backup --json
    before=$(json .backup_id)
    PGMIGRATE_HISTORY_TABLE=elsewhere.history take_backup
    blind=$(json .id)
    run_pgmigrate restore --before 002 --to "$copy" --dry-run --json
    assert_status 0
    assert_equal "$(json .id)" "$before"
    assert_stderr "backup $blind is passed over: it does not tell which migrations it holds"
}

@test "--before says when no backup knows the migration, and wants one that can be" {
    migration 001_first <<<"create table a (id int);"
    run_pgmigrate apply
    take_backup
    run_pgmigrate restore --before 01_frist --to "$copy" --dry-run
    assert_status 0
    assert_stderr 'no backup holds migration "01_frist"'
    run_pgmigrate restore --before "" --to "$copy" --dry-run
    assert_status 2
    run_pgmigrate restore --before latest --to "$copy" --dry-run
    assert_status 9
    assert_stderr 'from before migration "001_first"'
}

@test "a name that no database can have, or should not, is refused" {
    create_table notes 10
    take_backup
    for name in "" template1 "$(printf '%064d' 0)"; do
        run_pgmigrate restore latest --to "$name"
        assert_status 2
    done
}

@test "an event trigger does not see materialized views being filled" {
    psql_value "create table audit (tag text);
        create function note() returns event_trigger language plpgsql as 'begin insert into public.audit values (tg_tag); end';
        create table t as select 1 as a; create materialized view m as select * from t; create materialized view m2 as select * from m;
        create event trigger ${TEST_DATABASE}_note on ddl_command_end execute function note()"
    take_backup
    restore_copy
    assert_status 0
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
}

@test "a missing role is refused by name, or created without login" {
    psql_server "create role ${TEST_DATABASE}_owner; create role ${TEST_DATABASE}_reader"
    create_table notes 10
    psql_value "alter table notes owner to ${TEST_DATABASE}_owner; grant select on notes to ${TEST_DATABASE}_reader"
    take_backup
    psql_value "drop table notes"
    psql_server "drop role ${TEST_DATABASE}_owner, ${TEST_DATABASE}_reader"
    restore_copy
    assert_status 10
    [[ $(json .error.message) == *"\"${TEST_DATABASE}_owner\", \"${TEST_DATABASE}_reader\""* ]]
    assert_equal "$(databases)" "$TEST_DATABASE"
    restore_copy --create-missing-roles
    assert_status 0
    assert_equal "$(json '.created_roles | length')" 2
    assert_equal "$(psql_server "select bool_or(rolcanlogin) from pg_roles where rolname like '${TEST_DATABASE}%'")" f
    assert_equal "$(copy_value "select relowner::regrole, relacl::text ~ '_reader=r/' from pg_class where relname = 'notes'")" \
        "${TEST_DATABASE}_owner|t"
    psql_server "drop database $copy with (force)"
}

@test "without owners and privileges no role is needed" {
    psql_server "create role ${TEST_DATABASE}_owner; create role ${TEST_DATABASE}_reader"
    create_table notes 10
    psql_value "alter table notes owner to ${TEST_DATABASE}_owner; grant select on notes to ${TEST_DATABASE}_reader"
    psql_server "grant create on database $TEST_DATABASE to ${TEST_DATABASE}_owner"
    take_backup
    psql_value "drop table notes"
    psql_server "revoke all on database $TEST_DATABASE from ${TEST_DATABASE}_owner"
    psql_server "drop role ${TEST_DATABASE}_owner, ${TEST_DATABASE}_reader"
    restore_copy --no-owner --no-privileges
    assert_status 0
    assert_equal "$(copy_value "select relowner::regrole, relacl is null from pg_class where relname = 'notes'")" "postgres|t"
}

@test "without owners who only owns things is not needed, and who is named otherwise is" {
    local owner=${TEST_DATABASE}_owner
    psql_server "create role $owner; alter database $TEST_DATABASE owner to $owner"
    create_table notes 10
    psql_value "alter table notes owner to $owner; create schema s authorization $owner; create view s.v as select 1 as one;
        alter view s.v owner to $owner; create function s.f() returns int language sql as 'select 1'; alter function s.f() owner to $owner"
    take_backup
    own=$ARCHIVE
    assert_equal "$(manifest '.named_roles | tojson')" "[]"
    # One thing after the other that names him for more.
    for grant in "alter default privileges for role $owner grant select on tables to public" \
        "revoke insert on notes from $owner" "alter role $owner in database $TEST_DATABASE set work_mem = '5MB'" \
        "grant connect on database $TEST_DATABASE to public; revoke temporary on database $TEST_DATABASE from public" \
        "create table other (x int); grant select (x) on other to $owner"; do
        psql_value "create table kept as select datacl from pg_database where datname = current_database(); $grant"
        take_backup
        assert_equal "$(manifest '.named_roles | tojson')" "[\"$owner\"]"
        psql_value "drop table kept; drop table if exists other; grant insert on notes to $owner;
            alter default privileges for role $owner revoke select on tables from public;
            alter role $owner in database $TEST_DATABASE reset work_mem"
        psql_value "update pg_database set datacl = null where datname = current_database()"
    done
    psql_value "alter table notes owner to postgres; drop schema s cascade"
    psql_server "alter database $TEST_DATABASE owner to postgres; drop role $owner"
    run_pgmigrate restore "$own" --to "$copy" --no-owner --json
    assert_status 0
    assert_equal "$(copy_value "select relowner::regrole from pg_class where relname = 'notes'")" postgres
    run_pgmigrate restore "$ARCHIVE" --to "${copy}2" --no-owner --json
    assert_status 10
    [[ $(json .error.message) == *"named otherwise than as owners are missing: \"$owner\""*"--no-privileges does without"* ]]
    psql_server "drop database $copy with (force)"
}

@test "without owners only roles that are named otherwise are made" {
    local owner=${TEST_DATABASE}_owner reader=${TEST_DATABASE}_reader
    psql_server "create role $owner; create role $reader"
    create_table notes 10
    psql_value "alter table notes owner to $owner; create policy p on notes to $reader"
    take_backup
    psql_value "drop table notes"
    psql_server "drop role $owner, $reader"
    restore_copy --no-owner --create-missing-roles
    assert_status 0
    assert_equal "$(json '.created_roles | tojson')" "[\"$reader\"]"
    psql_server "drop database $copy with (force)"
    psql_server "drop role $reader"
}

@test "without owners and privileges roles of user mappings are wanted, too" {
    local mapped=${TEST_DATABASE}_mapped
    psql_server "create role $mapped"
    create_table notes 10
    psql_value "create foreign data wrapper w; create server s foreign data wrapper w; create user mapping for $mapped server s;
        create user mapping for public server s"
    take_backup
    psql_value "drop server s cascade"
    psql_server "drop role $mapped"
    restore_copy --no-owner --no-privileges
    assert_status 10
    [[ $(json .error.message) == *"user mappings"*"\"$mapped\""* ]]
    assert_equal "$(databases)" "$TEST_DATABASE"
    restore_copy --no-owner --no-privileges --create-missing-roles
    assert_status 0
    assert_equal "$(json '.created_roles | tojson')" "[\"$mapped\"]"
    psql_server "drop database $copy with (force)"
    psql_server "drop role $mapped"
}

@test "an owner that has revoked its own INSERT gets its rows all the same" {
    psql_server "create role ${TEST_DATABASE}_owner login createdb"
    psql_server "grant create on database $TEST_DATABASE to ${TEST_DATABASE}_owner"
    psql_value "grant create on schema public to ${TEST_DATABASE}_owner"
    owner_url=$(database_url "$TEST_DATABASE" "${TEST_DATABASE}_owner")
    for rows in 5 5000; do
        psql -Xq -d "$owner_url" -c "create table frozen_$rows as select g as id, repeat('x', 200) as t from generate_series(1, $rows) g" \
            -c "revoke insert, truncate on frozen_$rows from ${TEST_DATABASE}_owner"
    done
    psql_value "revoke create on schema public from ${TEST_DATABASE}_owner"
    take_backup --split-larger-than 256kB
    DATABASE_URL=$owner_url restore_copy --no-owner
    assert_status 0
    assert_equal "$(json .rows)" 5005
    run psql -Xq -d "$(database_url "$copy" "${TEST_DATABASE}_owner")" -c "insert into frozen_5 values (1, 'x')"
    [[ $output == *"permission denied"* ]]
    psql_server "drop database $copy with (force)"
    psql_value "drop owned by ${TEST_DATABASE}_owner"
}

@test "settings, owner, grants and comment of a database come back under the new name" {
    psql_server "create role ${TEST_DATABASE}_owner; create role ${TEST_DATABASE}_reader"
    create_table notes 10
    psql_server "alter database $TEST_DATABASE set search_path to a, b" >/dev/null
    psql_server "alter role ${TEST_DATABASE}_reader in database $TEST_DATABASE set work_mem to '7MB'"
    psql_server "comment on database $TEST_DATABASE is 'ours'; grant connect on database $TEST_DATABASE to ${TEST_DATABASE}_reader"
    psql_server "alter database $TEST_DATABASE owner to ${TEST_DATABASE}_owner"
    take_backup
    restore_copy
    assert_status 0
    assert_equal "$(fidelity_properties "$(database_url "$copy")")" "$(fidelity_properties "$DATABASE_URL")"
    psql_server "drop database $copy with (force)"
    psql_server "alter database $TEST_DATABASE owner to postgres"
    psql_server "drop owned by ${TEST_DATABASE}_reader"
}

@test "grants on a database by those who were granted them come back, after those they hang on" {
    first=${TEST_DATABASE}_reader
    second=${TEST_DATABASE}_owner
    psql_server "create role $first; create role $second; revoke all on database $TEST_DATABASE from public"
    psql_server "grant connect on database $TEST_DATABASE to $first with grant option; set role $first;
        grant connect on database $TEST_DATABASE to $second with grant option; set role $second;
        grant connect on database $TEST_DATABASE to $first"
    take_backup
    restore_copy
    assert_status 0
    assert_equal "$(psql_server "select datacl from pg_database where datname = '$copy'")" \
        "$(psql_server "select datacl from pg_database where datname = '$TEST_DATABASE'")"
}

@test "tables with BRIN indexes and clustered ones keep their order, and others nearly" {
    for name in brin clustered serial; do
        psql_value "create table $name as select g as id, repeat(md5(g::text), 20) as t from generate_series(1, 40000) g"
    done
    psql_value "create index on brin using brin (id); create index serial_id on serial (id)"
    psql_value "create index clustered_id on clustered (id); cluster clustered using clustered_id; analyze"
    take_backup -j 2 --split-larger-than 1MB
    # Ranges of ctid came with PostgreSQL 14.
    [ "$(server_major)" -lt 14 ] || [ "$(manifest '[.tables[] | select(.name == "brin") | .chunks[]] | length')" -gt 3 ]
    restore_copy -j 3
    assert_status 0
    for name in brin clustered; do
        assert_equal "$(copy_value "select correlation from pg_stats where tablename = '$name' and attname = 'id'")" 1
        assert_equal "$(copy_value "select count(*) from (select id, lag(id) over (order by ctid) as before from $name) x
            where id < before")" 0
    done
    assert_equal "$(copy_value "select count(distinct id) from serial")" 40000
}

@test "rows that a CHECK refuses while other tables are empty are tried again" {
    psql_value "create table a_child (id int); create table z_parent (id int primary key)"
    psql_value "create function known(int) returns boolean language sql stable as 'select exists (select from public.z_parent where id = \$1)'"
    psql_value "insert into z_parent select generate_series(1, 3000); insert into a_child select generate_series(1, 3000)"
    psql_value "alter table a_child add check (known(id)), add column t text default repeat('x', 1000)"
    take_backup --split-larger-than 256kB
    restore_copy
    assert_status 0
    assert_equal "$(copy_value 'select count(*) from a_child')" 3000
}

@test "rows that name an index come after it, and before triggers, foreign keys and policies" {
    psql_value "create table named (id int primary key, note text);
        create index named_note on named (note);
        create domain relation as regclass;
        create table small (id int primary key, what regclass);
        create table lists (what regclass[]);
        create table domains (what relation);
        create table large (id int, what regclass, t text default repeat('x', 1000));
        create table refers (id int references small);
        insert into named values (1, 'one');
        insert into small values (1, 'named'), (2, 'named_pkey'), (3, 'small_pkey'), (4, 'named_note');
        insert into lists values (array['named_pkey'::regclass, 'named']);
        insert into domains values ('named_note');
        insert into large select g, case g when 2999 then 'named_pkey'::regclass else 'named' end from generate_series(1, 3000) g;
        insert into refers values (2), (3);
        create function refuse() returns trigger language plpgsql as 'begin raise ''seen''; end';
        create trigger refuse before insert on small for each row execute function refuse();
        alter table small enable always trigger refuse;
        alter table small enable row level security, force row level security"
    take_backup --split-larger-than 256kB
    restore_copy
    assert_status 0
    assert_equal "$(json '.notes | length')" 0
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
}

@test "rows that name what is not there keep a restore from ending, until it is there" {
    psql_value "create table named (id int primary key); create table names (what regclass primary key);
        create table refers (what regclass references names);
        insert into names values ('named_pkey'); insert into refers values ('named_pkey')"
    take_backup
    restore_copy --table names --table refers
    assert_status 7
    [[ $(json .error.message) == *'relation "public.named_pkey" does not exist'* ]]
    assert_equal "$(copy_value "select count(*) from names")" 0
    copy_value "create table named (id int primary key)"
    restore_copy --table names --table refers --resume
    assert_status 0
    assert_equal "$(copy_value "select names.what from names join refers using (what)")" named_pkey
    assert_equal "$(copy_value "select count(*) from pg_constraint where conrelid = 'refers'::regclass and contype = 'f'")" 1
}

@test "rows that belong into another partition where they are restored go through the root" {
    # As a collation that sorts otherwise: the same row, another partition.
    psql_value "create function place(int) returns int language sql immutable as
            'select case when current_database() like ''%copy'' then \$1 + 500 else \$1 end';
        create table part (id int, t text default repeat('x', 1000)) partition by range (place(id));
        create table part_low partition of part for values from (minvalue) to (2000);
        create table part_high partition of part for values from (2000) to (maxvalue);
        create table plain (like part including all);
        insert into part select generate_series(1, 3999);
        insert into plain select generate_series(1, 3000)"
    take_backup --split-larger-than 256kB
    restore_copy
    assert_status 0
    assert_equal "$(copy_value "select count(*), sum(id) from part")" "3999|7998000"
    assert_equal "$(copy_value "select count(*) from part_low")" 1499
    assert_equal "$(json .rows)" 6999
    assert_equal "$(json '.notes[]' | grep -c 'went to another one')" 2
    # Rows that are missing are seen all the same.
    run_pgmigrate restore latest --to "${copy}" --json
    assert_status 10
}

@test "small partitions by text hold their rows where another collation places them otherwise" {
    psql_value "create function place(text) returns text language sql immutable as
            'select case when current_database() like ''%copy'' then ''n'' || \$1 else \$1 end';
        create table part (name text) partition by range (place(name));
        create table part_low partition of part for values from (minvalue) to ('m') partition by list (name);
        create table part_a partition of part_low for values in ('a', 'b');
        create table part_high partition of part for values from ('m') to (maxvalue) partition by list (name);
        create table part_rest partition of part_high default;
        insert into part values ('a'), ('b'), ('z')"
    take_backup
    assert_equal "$(manifest '.tables[].source' | sort -u)" copy
    restore_copy
    assert_status 0
    assert_equal "$(copy_value "select string_agg(name, ' ' order by name) from part_rest")" "a b z"
}

@test "one table comes with its type, sequence, indexes and constraints, and nothing else" {
    psql_value "create type mood as enum ('glad', 'sad'); create table person (id serial primary key, mood mood)"
    psql_value "create table other (id int primary key references person); create foreign data wrapper w; create server s foreign data wrapper w;
        create foreign table elsewhere (id int) server s"
    psql_value "insert into person (mood) select 'glad' from generate_series(1, 100); create index person_mood on person (mood)"
    take_backup
    restore_copy --table person
    assert_status 0
    assert_equal "$(json '.tables, .rows, (.notes | length)' | xargs)" "1 100 0"
    assert_equal "$(copy_value "select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'public'::regnamespace")" \
        "person person_id_seq person_mood person_pkey"
    assert_equal "$(copy_value "insert into person (mood) values ('sad') returning id")" 101
    run_pgmigrate restore latest --to "${copy}" --table nobody
    assert_status 2
    assert_stderr 'the backup has no table "nobody"'
}

@test "what a table loses because something else is not restored is told" {
    psql_value "create function f() returns trigger language plpgsql as 'begin return new; end';
                create table orders (id int primary key, items int);
                create table \"of two\" (id int primary key);
                create table items (id int primary key, oid int references orders,
                    two int constraint \"to two\" references \"of two\", self int references items);
                create trigger tr before insert on items for each row execute function f();
                create policy mine on items using (exists (select from orders));
                create policy plain on items using (true);
                create rule r as on insert to items do also insert into orders values (new.id);
                alter table orders add foreign key (items) references items" >/dev/null
    take_backup
    restore_copy --table items
    assert_status 0
    assert_equal "$(json '.notes | sort[]')" \
        'Foreign key "items_oid_fkey" of table "public.items" was left out: table "public.orders", which it needs, is not restored.
Foreign key "to two" of table "public.items" was left out: table "public.of two", which it needs, is not restored.
Policy "mine" of table "public.items" was left out: table "public.orders", which it needs, is not restored.
Rule "r" of table "public.items" was left out: table "public.orders", which it needs, is not restored.
Trigger "tr" of table "public.items" was left out: function "public.f()", which it needs, is not restored.'
    assert_equal "$(copy_value "select conname from pg_constraint where contype = 'f'")" items_self_fkey
    psql_server "drop database $copy"
    run_pgmigrate restore latest --to "$copy" --table items --table orders
    assert_status 0
    assert_output 'note: Foreign key "to two" of table "public.items" was left out'
    refute_output items_oid_fkey
    psql_server "drop database $copy"
    restore_copy --table items --table orders --table 'of two'
    assert_equal "$(json '.notes[]')" \
        'Trigger "tr" of table "public.items" was left out: function "public.f()", which it needs, is not restored.'
}

@test "one table is read out of an archive that is damaged elsewhere" {
    create_table good 5000
    create_table bad 5000
    take_backup --split-larger-than 256kB
    member=$(manifest '. as $m | .tables[] | select(.name == "bad") | .chunks[0].first_member as $i | $m.members[$i].name')
    flip_bit "$member"
    restore_copy
    assert_status 9
    [[ $(json .error.message) == *"$member"* ]]
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --table good
    assert_status 0
    assert_equal "$(copy_value 'select count(*) from good')" 5000
    psql_server "drop database $copy"
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --table bad --json
    assert_status 9
    [[ $(json .error.message) == *"$member"* ]]
    assert_equal "$(databases)" "$TEST_DATABASE"
}

@test "a partitioned table comes with its partitions" {
    psql_value "create table p (a int, t text) partition by range (a)"
    psql_value "create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20)"
    psql_value "insert into p select g, 'x' from generate_series(0, 19) g; create index on p (a)"
    take_backup
    restore_copy --table p
    assert_status 0
    assert_equal "$(copy_value 'select count(*) from p')" 20
    psql_server "drop database $copy"
    restore_copy --table public.p2
    assert_status 0
    assert_equal "$(copy_value "select count(*), to_regclass('p1') is null from p2")" "10|t"
}

@test "a table comes with the extensions whose operators its constraint and its indexes need" {
    psql_value "create schema ext; create extension btree_gist schema ext; create extension pg_trgm schema ext"
    psql_value "create table booked (room int, during tsrange, exclude using gist (room with =, during with &&))"
    psql_value "create table named (name text); create index on named using gin (name ext.gin_trgm_ops)"
    take_backup
    restore_copy --table booked --table named
    assert_status 0
    assert_equal "$(copy_value "select string_agg(indexdef, ';' order by indexdef) from pg_indexes where schemaname = 'public'")" \
        "$(psql_value "select string_agg(indexdef, ';' order by indexdef) from pg_indexes where schemaname = 'public'")"
    psql_server "drop database $copy"
    restore_copy --table named
    assert_status 0
    assert_equal "$(copy_value "select string_agg(extname, ' ' order by extname) from pg_extension")" "pg_trgm plpgsql"
}

@test "the schema alone has no rows" {
    create_table notes 10
    psql_value "create materialized view m as select count(*) from notes; create unique index on notes (id)"
    take_backup
    restore_copy --schema-only
    assert_status 0
    assert_equal "$(json .rows)" 0
    assert_equal "$(copy_value "select count(*) from notes")" 0
    assert_equal "$(copy_value "select count(*) from pg_indexes where tablename = 'notes'")" 1
}

@test "a flipped bit is refused before anything is made, the member is named, and the damage noted" {
    create_table notes 10
    take_backup
    good=$(json .id)
    take_backup
    flip_bit schema.dump
    cp "${ARCHIVE%.tar}.json" before.json
    run_pgmigrate restore latest --to "$copy" --dry-run --json
    assert_status 9
    [[ $(json .error.message) == *schema.dump* ]]
    assert_equal "$(jq -r .verified_how "${ARCHIVE%.tar}.json")" damaged
    cp before.json "${ARCHIVE%.tar}.json"
    restore_copy
    assert_status 9
    [[ $(json .error.message) == *schema.dump* ]]
    assert_equal "$(databases)" "$TEST_DATABASE"
    assert_equal "$(jq -r .verified_how "${ARCHIVE%.tar}.json")" damaged
    run_pgmigrate restore latest --to "$copy" --dry-run --json
    assert_status 0
    assert_equal "$(json .id)" "$good"
}

@test "a dry run refuses a table that the backup does not have" {
    create_table notes 10
    take_backup
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --table nosuch --dry-run
    assert_status 2
    assert_stderr 'the backup has no table "nosuch"'
}

@test "what --table leaves out is named, in schemas with blanks in their names, too" {
    psql_value 'create schema my; create schema "my schema"; create schema "my schema 2"; create table "my schema"."the orders" (id int primary key);
        create table "my schema 2".items (order_id int references "my schema"."the orders");
        create function "my schema"."do it"() returns trigger language plpgsql as $$begin return new; end$$;
        create trigger tr before insert on "my schema 2".items for each row execute function "my schema"."do it"()'
    take_backup
    run_pgmigrate restore "$ARCHIVE" --to "$copy" --table "my schema 2.items" --json
    assert_status 0
    assert_equal "$(json '.notes | sort[]')" \
        'Foreign key "items_order_id_fkey" of table "my schema 2.items" was left out: table "my schema.the orders", which it needs, is not restored.
Trigger "tr" of table "my schema 2.items" was left out: function "my schema.do it()", which it needs, is not restored.'
}

@test "an archive without its record is refused" {
    create_table notes 10
    take_backup
    cp "$ARCHIVE" alone.tar
    run_pgmigrate restore alone.tar --to "$copy"
    assert_status 9
    assert_equal "$(databases)" "$TEST_DATABASE"
}

@test "a missing extension is refused by name" {
    fidelity_extension_server
    start_own_cluster
    psql_value "create extension with_tables schema public"
    run_pgmigrate backup create
    assert_status 0
    rm "$FIDELITY_SERVER"/share/postgresql/*/extension/with_tables*
    run_pgmigrate restore latest --to "$copy" --json
    assert_status 10
    assert_equal "$(json .error.message)" 'extension "with_tables" (1.0) is not installed on the server'
    assert_equal "$(psql_value "select count(*) from pg_database where datname = '$copy'")" 0
}

@test "an event trigger does not see the restore, and is there after it" {
    psql_value "create table seen (tag text)"
    psql_value "create function refuse() returns event_trigger language plpgsql as 'begin raise exception ''not here''; end'"
    psql_value "create event trigger et on sql_drop execute function refuse()"
    take_backup
    restore_copy
    assert_status 0
    assert_equal "$(json '.notes | length')" 0
    assert_equal "$(copy_value "select count(*) from pg_event_trigger where evtenabled = 'O'")" 1
    assert_equal "$(copy_value "select count(*) from pg_namespace where nspname = 'pgmigrate_restore'")" 0
}

# pg_restore that fails once, after its work, where it adds indexes side by side.
failing_pg_restore()
{
    local real program
    real=$(programs_folder)
    mkdir bin
    for program in "$real"/*; do ln -s "$program" bin/; done
    rm bin/pg_restore
    cat >bin/pg_restore <<SH
#!/bin/sh
case "\$*" in
    *--section=post-data*) echo "\$*" >>"$PWD/calls"; [ -e "$PWD/failed" ] || { touch "$PWD/failed"; "$real/pg_restore" "\$@"; exit 1; } ;;
esac
exec "$real/pg_restore" "\$@"
SH
    chmod +x bin/pg_restore
}

@test "what fails side by side after the rows is tried again in order, and nothing is made twice" {
    create_table notes 100
    psql_value "alter table notes add primary key (id); create index on notes (id, text)"
    take_backup
    failing_pg_restore
    PGMIGRATE_PG_BINDIR=$PWD/bin restore_copy -j 2
    assert_status 0
    assert_equal "$(wc -l <calls)" 2
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
}
