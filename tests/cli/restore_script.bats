# SPDX-License-Identifier: PostgreSQL
# restore.sh, the way out without pgmigrate, sees what is wrong. That it restores everything is told by
# backup_fidelity.bats.

load helpers

setup()
{
    test_setup
    export PGMIGRATE_REPOSITORY=$PWD/backups
    PGHOST=$(sed 's/.*[?&]host=\([^&]*\).*/\1/; s/%2[Cc]/,/g' <<<"$TEST_SERVER_URL")
    export PGHOST PGUSER=postgres TMPDIR=$PWD
    copy=${TEST_DATABASE}_copy
}

teardown()
{
    psql_server "drop database if exists $copy with (force)"
    test_teardown
}

# A backup of a database with a table that is cut and one that is not, unpacked: archive/ and archive.tar.
make_archive()
{
    psql_value "create table big as select i, md5(i::text) as t from generate_series(1, 30000) i" >/dev/null
    psql_value "create table small as select i from generate_series(1, 10) i; create view v as select * from small" >/dev/null
    pgmigrate backup create -q --split-larger-than 256kB >/dev/null
    cp backups/*.tar archive.tar
    mkdir archive
    tar -xf archive.tar -C archive
}

# Put it together again as it is now, with digests that know of the change.
repack()
{
    rm -f archive/SHA256SUMS archive.tar
    (cd archive && find . -type f | sed 's,^\./,,' | sort | xargs -d '\n' sha256sum >../sums && mv ../sums SHA256SUMS)
    tar -cf archive.tar -C archive .
}

restore_script()
{
    run --separate-stderr sh archive/restore.sh archive.tar "$@" </dev/null
}

first_part()
{
    find archive/tables -name '0*.zst' | sort | head -n 1
}

@test "restore.sh makes the database and leaves no files" {
    make_archive
    restore_script "$copy" 3
    assert_status 0
    assert_stderr "all rows are there"
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c "select count(*) from big")" 30000
    assert_equal "$(find . -maxdepth 1 -name 'restore.*')" ""
}

@test "restore.sh makes an event trigger with its comment when all else is there" {
    psql_value "create function refuse() returns event_trigger language plpgsql as 'begin raise exception ''no''; end';
        create table before (i int); create event trigger refusing on ddl_command_start execute function refuse();
        comment on event trigger refusing is 'ours'"
    pgmigrate backup create -q >/dev/null
    psql_value "drop event trigger refusing"
    cp backups/*.tar archive.tar
    mkdir archive && tar -xf archive.tar -C archive
    restore_script "$copy"
    assert_status 0
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c "select obj_description(oid, 'pg_event_trigger') from pg_event_trigger")" ours
}

@test "restore.sh loads rows that ask for a setting of the database" {
    psql_value "alter database \"$TEST_DATABASE\" set app.max = '100'"
    psql_value "create function lim() returns int language sql stable as \$\$select current_setting('app.max')::int\$\$;
        create table t (a int check (a <= lim())); insert into t values (5)"
    pgmigrate backup create -q >/dev/null
    cp backups/*.tar archive.tar
    mkdir archive && tar -xf archive.tar -C archive
    restore_script "$copy"
    assert_status 0
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c "select a, current_setting('app.max') from t")" "5|100"
}

@test "restore.sh loads rows that name an index after it, and before what hangs on them" {
    psql_value 'create table "na""med" (what regclass primary key, n int);
        create table refers (what regclass references "na""med")' >/dev/null
    psql_value "insert into \"na\"\"med\" values ('\"na\"\"med_pkey\"', 1); insert into refers select what from \"na\"\"med\"" >/dev/null
    psql_value "create function refuse() returns trigger language plpgsql as 'begin raise ''seen''; end';
        create trigger refuse before insert on refers for each row execute function refuse()" >/dev/null
    make_archive
    restore_script "$copy"
    assert_status 0
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c 'select what, n from refers join "na""med" using (what)')" '"na""med_pkey"|1'
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c "select count(*) from pg_trigger where tgname = 'refuse'")" 1
}

@test "restore.sh tries rows again that a CHECK refuses while other tables are empty" {
    psql_value "create table zz (i int primary key); create table zbig as select i, md5(i::text) as t from generate_series(1, 30000) i;
        create function known(int) returns boolean language sql as 'select exists (select from public.zz where i = \$1)';
        create function large(int) returns boolean language sql as 'select \$1 <= (select max(i) from public.zbig)';
        create table asks_small as select i, md5(i::text) as t from generate_series(1, 30000) i;
        create table asks_large (i int); create table plain (i int);
        insert into zz select generate_series(0, 9); insert into asks_large select generate_series(1, 10);
        insert into plain values (1);
        alter table asks_small add check (known(i % 10)); alter table asks_large add check (large(i))" >/dev/null
    make_archive
    restore_script "$copy"
    assert_status 0
    assert_stderr "trying again what was refused"
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c "select (select count(*) from asks_small), (select count(*) from asks_large), (select count(*) from plain)")" "30000|10|1"
}

@test "restore.sh keeps the order of rows that a CHECK refuses at first" {
    psql_value "create table zz (i int); insert into zz values (1);
        create function asks(int) returns boolean language sql as 'select \$1 < 20000 or exists (select from public.zz)';
        create table sorted as select i, md5(i::text) as t from generate_series(1, 30000) i;
        create index on sorted using brin (i); alter table sorted add check (asks(i))" >/dev/null
    make_archive
    restore_script "$copy" 3
    assert_status 0
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c "select count(*) from (select i < lag(i) over (order by ctid) as back from sorted) s where back")" 0
}

@test "restore.sh fails where a CHECK refuses rows for good" {
    psql_value "create function never(int) returns boolean language sql as 'select not exists (select from pg_catalog.pg_class where relname = ''sorted'') or \$1 < 20000';
        create table checked as select i, md5(i::text) as t from generate_series(1, 30000) i; alter table checked add check (never(i));
        create table sorted (i int); create table few (i int check (never(i + 19995)))" >/dev/null
    psql_value "alter table sorted rename to other; insert into few select generate_series(1, 10); alter table other rename to sorted" >/dev/null
    make_archive
    restore_script "$copy"
    assert_status 1
    assert_stderr "violates check constraint"
    assert_stderr "rows could not be loaded"
    refute_stderr "all rows are there"
}

@test "restore.sh leaves out settings that the role may not make, and says so" {
    maker=${TEST_DATABASE}_maker
    psql_server "create role $maker login createdb; alter database $TEST_DATABASE owner to $maker"
    psql_server "alter database $TEST_DATABASE set log_statement = 'all'; alter database $TEST_DATABASE set work_mem = '5MB'"
    psql_value "create table t (a int); alter table t owner to $maker; insert into t values (5)"
    pgmigrate backup create -q >/dev/null
    cp backups/*.tar archive.tar
    mkdir archive && tar -xf archive.tar -C archive
    PGUSER=$maker restore_script "$copy"
    found="$status $(psql -XAtq -d "$(database_url "$copy")" -c "select a, current_setting('work_mem') from t")"
    psql_server "drop database $copy with (force)"
    drop_test_database
    psql_server "drop role $maker"
    assert_equal "$found" "0 5|5MB"
    assert_stderr 'a setting is left out: permission denied to set parameter "log_statement"'
}

@test "restore.sh does without a tablespace that is not there" {
    [ "$(server_major)" -ge 15 ] || skip "tablespaces without a folder of their own came with PostgreSQL 15"
    place=${TEST_DATABASE}_place
    psql -XAtq -d "$DATABASE_URL" -c "set allow_in_place_tablespaces = on" -c "create tablespace $place location ''"
    psql_value "create table moved (id int) tablespace $place; insert into moved values (1)"
    make_archive
    drop_test_database
    psql_server "drop tablespace $place"
    restore_script "$copy" 2
    assert_status 0
    assert_stderr "without tablespaces, as these are not here: $place"
    assert_equal "$(psql -XAtq -d "$(database_url "$copy")" -c "select count(*) from moved")" 1
}

@test "restore.sh sees a changed member by its digest" {
    make_archive
    printf x >>archive/database.sql
    tar -cf archive.tar -C archive .
    restore_script "$copy"
    assert_status 1
    assert_stderr "database.sql: FAILED"
    assert_equal "$(psql_server "select count(*) from pg_database where datname = '$copy'")" 0
}

@test "restore.sh sees a damaged archive by the digest beside it" {
    make_archive
    (sha256sum archive.tar | tr '0-9' '1-9') >archive.tar.sha256
    restore_script "$copy"
    assert_status 1
    assert_stderr "the archive is damaged"
}

@test "restore.sh keeps nothing of a part that cannot be decoded, and fails" {
    make_archive
    part=$(first_part)
    size=$(stat -c %s "$part")
    printf 'XXXX' | dd of="$part" bs=1 seek=$((size / 2)) conv=notrunc status=none
    repack
    restore_script "$copy"
    assert_status 1
    assert_stderr "rows could not be loaded"
    assert_stderr "drop it before the next try"
}

@test "restore.sh sees a truncated part and a truncated dump" {
    make_archive
    cp -r archive whole
    truncate -s -30 "$(first_part)"
    repack
    restore_script "$copy"
    assert_status 1
    psql_server "drop database $copy with (force)"
    rm -r archive
    mv whole archive
    truncate -s -30 "$(find archive/data -name '*.zst' | sort | tail -n 1)"
    repack
    restore_script "$copy"
    assert_status 1
}

@test "restore.sh sees that rows are missing" {
    make_archive
    rm "$(first_part)"
    repack
    restore_script "$copy"
    assert_status 1
    assert_stderr "has "
    assert_stderr "rows instead of 30000"
}

@test "restore.sh fails where a statement of the schema, a row or a property fails" {
    make_archive
    echo "SELECT 1 / 0;" >>archive/database.sql
    repack
    restore_script "$copy"
    assert_status 1
    assert_stderr "division by zero"
    psql_server "drop database $copy with (force)"

    rm archive/database.sql
    tar -xf backups/*.tar -C archive database.sql
    printf 'no row\n' | zstd -q >>"$(first_part)"
    repack
    restore_script "$copy"
    assert_status 1
    assert_stderr "rows could not be loaded"
}

@test "restore.sh does not touch a database that is there, and names roles that are not" {
    make_archive
    restore_script "$TEST_DATABASE"
    [ "$status" -ne 0 ]
    assert_stderr "already exists"
    refute_stderr "drop it"
    printf 'no_such_role\n' >>archive/roles.tsv
    repack
    restore_script "$copy"
    assert_status 1
    assert_stderr "no_such_role"
    assert_stderr "globals.sql"
    assert_equal "$(psql_server "select count(*) from pg_database where datname = '$copy'")" 0
}

@test "restore.sh takes any name for the new database" {
    make_archive
    local odd="host=nowhere.invalid dbname='q\" \\ x"
    restore_script "$odd"
    psql_server "drop database \"${odd//\"/\"\"}\""
    assert_status 0
}

@test "restore.sh says what it wants" {
    run --separate-stderr sh "$BATS_TEST_DIRNAME/../../backup/archive_files/restore.sh"
    assert_status 2
    assert_stderr "usage: sh restore.sh ARCHIVE NEWDB [JOBS]"
    run --separate-stderr sh "$BATS_TEST_DIRNAME/../../backup/archive_files/restore.sh" /no/such x
    assert_status 1
    run --separate-stderr sh "$BATS_TEST_DIRNAME/../../backup/archive_files/restore.sh" /etc/passwd x 0
    assert_status 1
    run --separate-stderr sh "$BATS_TEST_DIRNAME/../../backup/archive_files/restore.sh" /etc/passwd x
    [ "$status" -ne 0 ]
}
