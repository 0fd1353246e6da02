# SPDX-License-Identifier: PostgreSQL
# A restore that is killed, interrupted, or loses its server: what is left of it, and that it can go on.

load helpers
load backup
load fidelity

setup()
{
    backup_setup
    copy=${TEST_DATABASE}_copy
    export TMPDIR=$BATS_TEST_TMPDIR/tmp
    mkdir "$TMPDIR"
}

teardown()
{
    psql_server "drop database if exists $copy with (force)" 2>/dev/null || true
    test_teardown
}

copy_value() # SQL
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$(database_url "$copy")" -c "$1"
}

# Tables of both kinds, of several parts, one in order; and something for each step after them.
make_database()
{
    create_table cut 20000
    create_table in_order 5000
    create_table small 50
    psql_value "create index on in_order using brin (id)"
    psql_value "alter table cut add primary key (id); alter table small add foreign key (id) references cut"
    psql_value "create table p (a int) partition by range (a); create table p1 partition of p for values from (0) to (10)"
    psql_value "create index on p (a); insert into p values (1); create statistics st on id, text from cut"
    psql_value "create function f() returns trigger language plpgsql as 'begin return new; end'"
    psql_value "create trigger tr before insert on small for each row execute function f()"
    psql_value "alter table small enable row level security; create policy pol on small using (true)"
    psql_value "create rule ru as on update to small do also select 1"
    psql_value "create materialized view m as select count(*) from cut"
    psql_value "create function g() returns event_trigger language plpgsql as 'begin end'"
    psql_value "create event trigger ${TEST_DATABASE}_et on ddl_command_end execute function g()"
    psql_value "select lo_from_bytea(0, 'large')" >/dev/null
    psql_value "grant select on small to public"
    psql_server "alter database $TEST_DATABASE set work_mem to '5MB'"
    take_backup --split-larger-than 256kB
    [ "$(manifest '[.tables[] | select(.source == "copy")] | length')" -ge 2 ]
}

assert_restored()
{
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
    assert_equal "$(copy_value "select count(*) from pg_namespace where nspname = 'pgmigrate_restore'")" 0
    assert_equal "$(ls "$TMPDIR")" ""
}

# The copy's sessions but our own look.
no_sessions_in_copy()
{
    [ "$(psql_server "select count(*) from pg_stat_activity where datname = '$copy'")" = 0 ]
}

# Begin a restore that stops itself at a point.
pause_restore() # POINT ARGUMENT...
{
    local point=$1
    shift
    PGMIGRATE_TEST_PAUSE=$point "$TEST_BUILD/points/pgmigrate" restore latest --to "$copy" --json "$@" \
        </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
    wait_until is_stopped
}

@test "killed after any step, it goes on and comes to the same end" {
    make_database
    # Killed again and again: each time it goes on where the one before was killed.
    resume=
    for point in restore-objects restore-commit:1 restore-commit:2 restore-data restore-indexes restore-privileges \
        restore-properties restore-late restore-statistics restore-compared restore-triggers; do
        kill_pgmigrate_at "$point" restore latest --to "$copy" -j 2 $resume
        WAIT_SECONDS=5 wait_until no_sessions_in_copy
        rm -rf "$TMPDIR"/*
        resume=--resume
    done
    run_pgmigrate restore latest --to "$copy"
    assert_status 10
    assert_stderr "go on with it (--resume)"
    run_pgmigrate restore latest --to "$copy" --resume
    assert_status 0
    assert_restored
}

@test "killed once, at the beginning, in the middle or at the end, it comes to the same end" {
    make_database
    for point in restore-created restore-commit:3 restore-indexes restore-late; do
        kill_pgmigrate_at "$point" restore latest --to "$copy" -j 2
        WAIT_SECONDS=5 wait_until no_sessions_in_copy
        rm -rf "$TMPDIR"/*
        run_pgmigrate restore latest --to "$copy" --resume
        assert_status 0
        assert_restored
        psql_server "drop database $copy"
    done
}

@test "killed while rows that name an index come in, it loads them, and the rest, once" {
    psql_value "create table named (what regclass primary key); insert into named values ('named_pkey');
        create table refers (what regclass references named); insert into refers values ('named_pkey'), ('named_pkey')"
    take_backup
    for point in restore-commit:1 restore-commit:2 restore-indexes; do
        kill_pgmigrate_at "$point" restore latest --to "$copy"
        WAIT_SECONDS=5 wait_until no_sessions_in_copy
        assert_equal "$(copy_value "select count(*) from pg_indexes where indexname = 'named_pkey'")" 1
        rm -rf "$TMPDIR"/*
        run_pgmigrate restore latest --to "$copy" --resume
        assert_status 0
        assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
        psql_server "drop database $copy"
    done
}

@test "killed while indexes are built, it makes those that are missing" {
    make_database
    psql_value "create function slow(int) returns int immutable language plpgsql as
        'begin if current_database() <> ''$TEST_DATABASE'' and not pg_try_advisory_lock_shared(4711) then perform pg_sleep(60); end if; return \$1; end'"
    psql_value "create index zz_slow on small (slow(id))"
    take_backup --split-larger-than 256kB
    psql -XAtq -d "$(database_url "$TEST_DATABASE")" -c "select 1" >/dev/null
    psql_server "create database $copy"
    # Whoever holds the lock in the copy makes the index wait.
    psql -Xq -d "$(database_url "$copy")" -c "select pg_advisory_lock(4711), pg_sleep(600)" >/dev/null 2>&1 3>&- &
    holder=$!
    wait_until copy_holds_lock
    start_pgmigrate restore latest --to "$copy" -j 2
    wait_until index_is_waiting
    [ "$(copy_value "select count(*) from pg_indexes where schemaname = 'public'")" -gt 1 ]
    kill -KILL "$PGMIGRATE_PID"
    wait "$PGMIGRATE_PID" || true
    kill "$holder"
    rm -rf "$TMPDIR"/*
    run_pgmigrate restore latest --to "$copy" --resume
    assert_status 0
    assert_restored
}

copy_holds_lock()
{
    [ "$(copy_value "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711")" = 1 ]
}

index_is_waiting()
{
    [ "$(psql_server "select count(*) from pg_stat_activity where datname = '$copy' and query like '%zz_slow%' and wait_event = 'PgSleep'")" = 1 ]
}

@test "connections that are terminated are replaced, and nothing comes twice" {
    make_database
    pause_restore restore-commit:4 -j 2
    # All but the one that holds the restore's lock. Some may have committed without our knowing it yet.
    terminated=$(psql_server "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = '$copy' and pid not in (select pid from pg_locks where locktype = 'advisory')")
    [ "$terminated" -ge 1 ]
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 0
    assert_restored
}

@test "a server that stops leaves the restore to be continued" {
    start_own_cluster
    url=$DATABASE_URL
    create_table cut 20000
    create_table small 50
    take_backup --split-larger-than 256kB
    PGMIGRATE_TEST_PAUSE=restore-commit:3 "$TEST_BUILD/points/pgmigrate" restore latest --to "$copy" --json \
        </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
    wait_until is_stopped
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 7
    [[ $(json .error.hint) == *"restore $(jq -r .id "${ARCHIVE%.tar}.json") --to $copy --resume"* ]]
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
    run_pgmigrate restore latest --to "$copy" --resume
    assert_status 0
    assert_same_database "$url" "$(sed "s,/postgres?,/$copy?," <<<"$url")"
}

@test "interrupted before there are tables, nothing is left" {
    make_database
    pause_restore restore-created
    kill -TERM "$PGMIGRATE_PID"
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
    assert_equal "$(psql_server "select count(*) from pg_database where datname = '$copy'")" 0
    [[ $(json .error.detail) == *"was dropped again"* ]]
    assert_equal "$(ls "$TMPDIR")" ""
}

@test "interrupted while rows are loaded, the database is kept and the message says how to go on" {
    make_database
    for signal in INT TERM; do
        pause_restore restore-commit:2
        kill -"$signal" "$PGMIGRATE_PID"
        kill -CONT "$PGMIGRATE_PID"
        wait_pgmigrate
        [ "$signal" = INT ] && expected=130 || expected=143
        assert_status "$expected"
        [[ $(json .error.hint) == *"--to $copy --resume"* ]]
        WAIT_SECONDS=5 wait_until no_sessions_in_copy
        assert_equal "$(ls "$TMPDIR")" ""
        run_pgmigrate restore latest --to "$copy" --resume
        assert_status 0
        assert_restored
        psql_server "drop database $copy"
    done
}

@test "the command that goes on is for the same server and environment, without a password" {
    make_database
    printf '[environment prod]\nprotected = yes\n' >"it's.conf"
    local url=${DATABASE_URL/postgres@/postgres:s3cret@}
    unset DATABASE_URL
    pause_restore restore-commit:2 -c "it's.conf" -e prod -d "$url" --swap --confirm "$TEST_DATABASE" -j 1 --no-compare
    kill -INT "$PGMIGRATE_PID"
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 130
    hint=$(json .error.hint)
    [[ $hint != *s3cret* ]]
    [[ $hint =~ \"(pgmigrate restore .*)\" ]]
    run_program sh -c "${BASH_REMATCH[1]}"
    assert_status 0
    DATABASE_URL=$(database_url "$TEST_DATABASE")
    export DATABASE_URL
    for database in $(psql_server "select datname from pg_database where datname like '${TEST_DATABASE}_before%'"); do
        psql_server "drop database \"$database\" with (force)"
    done
}

@test "a restore that is still running is not gone on with" {
    make_database
    pause_restore restore-objects
    run_pgmigrate restore latest --to "$copy" --resume
    assert_status 5
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 0
    assert_restored
}

@test "neither another backup nor other options go on with a restore" {
    make_database
    first=$(json .id)
    take_backup
    kill_pgmigrate_at restore-data restore "$first" --to "$copy"
    run_pgmigrate restore latest --to "$copy" --resume
    assert_status 6
    assert_stderr "$first"
    run_pgmigrate restore "$first" --to "$copy" --resume --no-owner
    assert_status 6
    assert_stderr "other options"
    rm -rf "$TMPDIR"/*
    run_pgmigrate restore "$first" --to "$copy" --resume
    assert_status 0
    assert_restored
}

@test "a row that changes before it is compared is found" {
    make_database
    pause_restore restore-statistics
    copy_value "delete from cut where id = (select max(id) from cut); update in_order set text = 'other' where id = 7"
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 7
    [[ $(json .error.message) == *'table "public.cut" has 19999 rows, not 20000'* ]]
    [[ $(json .error.detail) == *'"public.in_order" has other rows'* ]]
}

@test "an archive that changes after it was checked is not loaded" {
    make_database
    member=$(manifest '. as $m | .tables[] | select(.name == "cut") | .chunks[2].first_member as $i | $m.members[$i].name')
    offset=$(manifest ".members[] | select(.name == \"$member\") | .offset")
    pause_restore restore-objects
    printf '\377\377' | dd of="$ARCHIVE" bs=1 seek=$((offset + 30)) conv=notrunc status=none
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 9
    [[ $(json .error.message) == *"$member"* ]]
    assert_equal "$(psql_server "select count(*) from pg_database where datname = '$copy'")" 0
}

@test "a database whose sessions are all ended is kept, and goes on" {
    make_database
    pause_restore restore-data
    psql_server "select pg_terminate_backend(pid) from pg_stat_activity where datname = '$copy'" >/dev/null
    kill -CONT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 7
    run_pgmigrate restore latest --to "$copy" --resume
    assert_status 0
    assert_restored
}
