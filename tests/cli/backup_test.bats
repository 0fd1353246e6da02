# SPDX-License-Identifier: PostgreSQL
# Proving that a backup can be restored, in a cluster of its own.

load helpers
load backup
load fidelity

setup()
{
    backup_setup
    TMPDIR=$(mktemp -d /tmp/pgmigrate-bats.XXXXXX)
    export TMPDIR
}

teardown()
{
    fidelity_drop "$TEST_DATABASE"
    test_teardown
    rm -rf "$TMPDIR"
}

# Where the copy's server has its data: root's is elsewhere, and a link leads there.
server_folder()
{
    readlink -f "$TMPDIR"/*/cluster/server
}

# Processes of a server that work there.
servers_in() # FOLDER
{
    local process
    for process in /proc/[0-9]*; do
        [[ $(readlink "$process/cwd" 2>/dev/null) != "$1"/data* ]] || printf '%s\n' "${process##*/}"
    done
}

@test "a good backup is restored, compared, and its time recorded" {
    fidelity_load "$DATABASE_URL"
    take_backup
    id=$(json .id)
    run_pgmigrate backup test --json
    assert_status 0
    assert_equal "$(json '.id, .result' | xargs)" "$id ok"
    [ "$(json .tables)" -gt 10 ]
    assert_equal "$(json '.notes | length')" 0
    ms=$(json .tested_ms)
    at=$(json .tested_at)
    run_pgmigrate backup list --json
    assert_equal "$(json '.backups[0].tested_at')" "$at"
    assert_equal "$(jq -r .tested_ms "${ARCHIVE%.tar}.json")" "$ms"
    assert_equal "$(ls "$TMPDIR")" ""
    run_pgmigrate restore latest --to "${TEST_DATABASE}_x" --dry-run
    assert_stderr "from the test of $id"
    run_pgmigrate doctor --max-age 26h --json
    assert_equal "$(json '.checks[] | select(.check == "restore test").state')" ok
}

@test "a damaged backup fails the test, and only that is recorded" {
    create_table notes 10
    take_backup
    offset=$(manifest '.members[] | select(.name == "data/000001.zst") | .offset')
    # Flipped, not set: the byte may be any.
    printf '%b' "\\x$(printf %02x $(($(od -An -tu1 -j $((offset + 20)) -N 1 "$ARCHIVE") ^ 255)))" |
        dd of="$ARCHIVE" bs=1 seek=$((offset + 20)) conv=notrunc status=none
    run_pgmigrate backup test --json
    assert_status 9
    assert_equal "$(json .result)" corrupt
    [[ $(json .error.message) == *data/000001.zst* ]]
    assert_equal "$(jq -r .tested_at "${ARCHIVE%.tar}.json")" null
    assert_equal "$(jq -r .verified_how "${ARCHIVE%.tar}.json")" damaged
    assert_equal "$(ls "$TMPDIR")" ""
}

@test "a function that relies on search_path fails the test and the restore, and the backup is not called damaged" {
    psql_value "create schema lib; create function lib.good(int) returns bool language sql immutable as 'select \$1 > 0';
        create function lib.fits(int) returns bool language plpgsql immutable as 'begin return good(\$1); end';
        set search_path = lib, public; create table public.notes (id int check (lib.fits(id))); insert into public.notes values (1)"
    take_backup
    run_pgmigrate backup test --json
    assert_status 1
    assert_equal "$(json .result)" unknown
    assert_stderr 'The backup is not damaged: give the function a path of its own'
    assert_equal "$(jq -r .verified_how "${ARCHIVE%.tar}.json")" null
    copy=${TEST_DATABASE}_copy
    run_pgmigrate restore latest --to "$copy"
    assert_status 7
    assert_stderr 'while search_path is empty'
    psql -Xq -d "$(database_url "$copy")" -c "alter function lib.fits set search_path = lib"
    run_pgmigrate restore latest --to "$copy" --resume
    psql_server "drop database $copy"
    assert_status 0
}

# A larger table, whose rows our streams load, and an index.
@test "a function that relies on search_path is told of by streams and indexes, too" {
    psql_value "create schema lib; create function lib.good(int) returns bool language sql immutable as 'select \$1 > 0';
        create function lib.fits(int) returns bool language plpgsql immutable as 'begin return good(\$1); end'"
    create_table notes 30000
    for use in "alter table notes add check (lib.fits(id))" "create index on notes (lib.fits(id))"; do
        psql_value "set search_path = lib, public; alter table notes drop constraint if exists notes_id_check; $use"
        take_backup
        run_pgmigrate backup test
        assert_status 1
        assert_stderr 'function good(integer) does not exist'
        assert_stderr 'The backup is not damaged'
    done
}

# Begin a test that stops itself at a point.
pause_test() # POINT
{
    PGMIGRATE_TEST_PAUSE=$1 "$TEST_BUILD/points/pgmigrate" backup test --json </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
    wait_until is_stopped
}

@test "the copy's server has no network, no subscriptions and no roles that log in" {
    psql_server "create role ${TEST_DATABASE}_owner login"
    create_table notes 10
    psql_value "alter table notes owner to ${TEST_DATABASE}_owner"
    psql_value "create subscription ${TEST_DATABASE}_sub connection 'host=nowhere' publication p with (connect = false)" 2>/dev/null
    psql_value "create publication pub for table notes" 2>/dev/null
    take_backup
    pause_test restore-compared
    folder=$(server_folder)
    look="postgresql://postgres@/restored?host=$folder"
    assert_equal "$(psql -XAtq -d "$look" -c "select current_setting('listen_addresses'), (select count(*) from pg_subscription), (select count(*) from pg_publication)")" "|0|0"
    assert_equal "$(psql -XAtq -d "$look" -c "select rolcanlogin from pg_roles where rolname = '${TEST_DATABASE}_owner'")" f
    if [ "$(id -u)" = 0 ]; then
        postmaster=$(head -n 1 "$folder/data/postmaster.pid")
        [ "$(readlink "/proc/$postmaster/ns/net")" != "$(readlink /proc/self/ns/net)" ]
    fi
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 0
    fidelity_drop "$TEST_DATABASE"
    psql_server "drop role ${TEST_DATABASE}_owner"
}

@test "a test in a repository that cannot be written tells its result, and that it is not noted" {
    create_table notes 10
    take_backup
    rm -f backups/lock.marks
    mkdir backups/lock.marks
    run_pgmigrate backup test
    assert_status 0
    assert_output "can be restored: 1 tables, 10 rows"
    assert_stderr "could not note that the backup was restored"
}

@test "interrupted, it leaves neither a server nor files" {
    create_table notes 10
    take_backup
    pause_test restore-data
    folder=$(server_folder)
    [ -n "$(servers_in "$folder")" ]
    kill -TERM "$PGMIGRATE_PID"
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
    assert_equal "$(ls "$TMPDIR")" ""
    [ ! -e "$folder" ]
    assert_equal "$(servers_in "$folder")" ""
}

@test "a check of several values, which the server writes in another way once it was read, is the same" {
    psql_value "create table t (a varchar(10) check (a in ('x', 'y')), b text check (b = any (array['x', 'y']::varchar[])))"
    take_backup
    run_pgmigrate backup test latest
    assert_status 0
}

# pg_dump writes CREATE TABLE … INHERITS, which puts inherited columns first.
@test "tables that inherit and have their columns in another order come back with the same rows" {
    psql_value "create table p (a int, b text, z int not null default 3);
                create table p2 (w text, a int);
                create table c (b text default 'x', own int, a int, z int not null default 4, check (own > 0));
                alter table c inherit p;
                insert into c values ('q', 1, 2, 3);
                comment on column c.b is 'b';
                comment on column c.a is 'a';
                grant select (b) on c to public;
                grant select (a) on c to public;
                alter table c alter b set statistics 10;
                alter table c alter a set statistics 20;
                create statistics c_s on b, a from c;
                create table two (own int, z int not null, b text, a int, w text);
                alter table two inherit p;
                alter table two inherit p2;
                insert into two values (1, 2, 'three', 4, 'five');
                create table merged (b text, a int) inherits (p);
                insert into merged values (1, 'b', 2);
                create table child () inherits (c);
                insert into child values ('b', 5, 6, 7);
                create table later (own int) inherits (p);
                alter table p add late text default 'l';
                alter table later alter late set default 'm';
                insert into later select g, g::text, g, g, g::text from generate_series(1, 1000) g;
                comment on column later.own is 'own';
                comment on column later.late is 'late';
                create table big (late text, b text, z int not null, a int);
                alter table big inherit p;
                insert into big select 'l' || g, repeat(md5(g::text), 10), g, -g from generate_series(1, 9000) g" >/dev/null
    take_backup
    run_pgmigrate backup test --json
    assert_status 0
    take_backup --split-larger-than 1MB
    run_pgmigrate backup test --json
    assert_status 0
    assert_equal "$(json '.notes | length')" 0
    run_pgmigrate restore latest --to "${TEST_DATABASE}_x" --json
    assert_status 0
    psql_server "drop database ${TEST_DATABASE}_x"
}
