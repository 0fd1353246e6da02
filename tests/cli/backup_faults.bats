# SPDX-License-Identifier: PostgreSQL
# Backups that are killed, interrupted, or left without server, disk or pg_dump.

load helpers
load backup

setup()
{
    backup_setup
    create_table big 20000
    create_table small 10
}

teardown()
{
    [ -z "${PGMIGRATE_PID-}" ] || kill -CONT "$PGMIGRATE_PID" 2>/dev/null || true
    stop_primary
    test_teardown
}

stop_primary()
{
    [ -z "${STANDBY-}" ] || pgmigrate_ctl "$STANDBY" stop
}

no_backup_is_listed()
{
    run_pgmigrate backup list --json
    assert_equal "$(json '.backups | length')" 0
}

@test "killed at any moment, it leaves nothing that counts, and no session; the next one succeeds" {
    for point in backup-listed backup-locked backup-dumping backup-streaming backup-streaming:5 backup-copied backup-finished; do
        PGMIGRATE_TEST_STOP=$point run "$TEST_BUILD/points/pgmigrate" backup create -j 2 --split-larger-than 256kB
        assert_status 137
        WAIT_SECONDS=5 wait_until no_sessions_left
        no_backup_is_listed
        assert_equal "$(find backups -type f -perm /077)" ""
    done
    take_backup --split-larger-than 256kB --verify
    run_pgmigrate backup gc
    assert_status 0
    assert_equal "$(find backups -name '*.part' | wc -l)" 0
}

@test "interrupted and terminated, it ends everything and leaves nothing" {
    for signal in INT:130 TERM:143; do
        pause_backup backup-streaming -j 2 --split-larger-than 256kB
        kill "-${signal%:*}" "$PGMIGRATE_PID"
        continue_backup
        wait_pgmigrate
        assert_status "${signal#*:}"
        WAIT_SECONDS=5 wait_until no_sessions_left
        assert_nothing_left
    done
}

@test "interrupted while it waits for a lock, it ends" {
    psql -Xq -d "$DATABASE_URL" -c "begin; lock table small; select pg_sleep(20)" >/dev/null 2>&1 3>&- &
    other=$!
    start_pgmigrate backup create
    wait_until grep -q waiting background.err
    kill -INT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 130
    kill "$other"
    assert_nothing_left
}

@test "a stream whose session is ended by the server fails the backup" {
    pause_backup backup-streaming -j 2 --split-larger-than 256kB
    psql_value "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and application_name like 'pgmigrate backup 2%'" >/dev/null
    continue_backup
    wait_pgmigrate
    assert_status 4
    WAIT_SECONDS=5 wait_until no_sessions_left
    assert_nothing_left
}

@test "a pg_dump that lost the snapshot's session is not what is blamed" {
    mkdir bin
    real=$(programs_folder)
    for program in pg_restore pg_dumpall; do ln -s "$real/$program" "bin/$program"; done
    cat >bin/pg_dump <<SH
#!/bin/sh
case "\$*" in
    *--version*) exec "$real/pg_dump" --version ;;
esac
psql -Xq -d "$DATABASE_URL" -c "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'pgmigrate backup 2%'
        and pid <> pg_backend_pid()" >/dev/null
echo "invalid snapshot identifier" >&2
exit 1
SH
    chmod +x bin/pg_dump
    PGMIGRATE_PG_BINDIR=$PWD/bin run_pgmigrate backup create --split-larger-than 1GB
    assert_status 4
    assert_nothing_left
}

@test "a pg_dump that dies fails the backup" {
    pause_backup backup-locked
    folder=$(dirname "$(readlink -f "$(type -P pg_dump)")")
    continue_backup
    wait_pgmigrate
    assert_status 0
    mkdir bin
    real=$(programs_folder)
    for program in pg_restore pg_dumpall; do ln -s "$real/$program" "bin/$program"; done
    cat >bin/pg_dump <<SH
#!/bin/sh
case "\$*" in
    *--version*) exec "$real/pg_dump" --version ;;
    *--section=data*) "$real/pg_dump" "\$@" | head -c 700; kill -KILL \$\$ ;;
    *) exec "$real/pg_dump" "\$@" ;;
esac
SH
    chmod +x bin/pg_dump
    rm -rf backups
    PGMIGRATE_PG_BINDIR=$PWD/bin run_pgmigrate backup create
    assert_status 1
    assert_stderr "signal 9"
    assert_nothing_left
}

@test "without a pg_dump, or with one that is too old, it is refused by name" {
    mkdir bin
    PGMIGRATE_PG_BINDIR=$PWD/bin run_pgmigrate backup create
    assert_status 1
    assert_stderr "pg_dump is not installed"
    assert_stderr "postgresql-client-$(server_major)"
    printf '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n' >bin/pg_dump
    chmod +x bin/pg_dump
    PGMIGRATE_PG_BINDIR=$PWD/bin run_pgmigrate backup create
    assert_status 1
    assert_stderr "pg_dump 9.6.24 is older than the server, which is PostgreSQL $(server_major)"
    assert_nothing_left
}

@test "a dump that lacks a table, or has one twice, is found" {
    mkdir bin
    real=$(programs_folder)
    for program in pg_restore pg_dumpall; do ln -s "$real/$program" "bin/$program"; done
    cat >bin/pg_dump <<SH
#!/bin/bash
set -- "\$@" \$TEST_EXTRA
keep=()
for word; do [[ -n \$TEST_KEEP && \$word == --exclude-table-data=* ]] || keep+=("\$word"); done
exec "$real/pg_dump" "\${keep[@]}"
SH
    chmod +x bin/pg_dump
    export PGMIGRATE_PG_BINDIR=$PWD/bin
    TEST_EXTRA='--exclude-table-data=small' run_pgmigrate backup create
    assert_status 1
    assert_stderr 'table "public.small" is missing from pg_dump'
    TEST_KEEP=yes run_pgmigrate backup create --split-larger-than 256kB
    assert_status 1
    assert_stderr 'table "public.big" is in pg_dump'
    assert_nothing_left
    take_backup
}

@test "a full disk fails the backup, and nothing is left" {
    psql_value "create table noise as select g as id, gen_random_uuid() || '' || gen_random_uuid() as text from generate_series(1, 60000) g"
    # Files of 1 MB at most: what a full disk is to who writes, and no signal is to end it.
    run bash -c 'ulimit -f 1024; exec pgmigrate backup create -j 2 --split-larger-than 256kB 2>&1'
    assert_status 1
    assert_output "could not write"
    assert_nothing_left
}

# With mounts of its own. Root needs no other name for it, which would take its rights away.
with_mounts() # COMMAND...
{
    if [ "$(id -u)" = 0 ]; then unshare -m "$@"; else unshare -rm "$@"; fi
}

# On a disk with room for so many pages: a backup, what is listed then, and one when there is more room.
backup_with_room() # PAGES
{
    # shellcheck disable=SC2016 # for the inner shell
    run with_mounts bash -c '
        mkdir -p small && mount -t tmpfs -o size=4m tmpfs small || exit 99
        head -c "$((4096 * (1024 - $1)))" /dev/zero >small/filler
        export PGMIGRATE_REPOSITORY=$PWD/small
        pgmigrate backup create 2>&1
        echo "status $?"
        echo "listed $(pgmigrate backup list --json | jq ".backups | length")"
        echo "left $(find small -name "20*" ! -name "*.failed" | wc -l)"
        rm small/filler
        pgmigrate backup create -q --verify 2>&1 && echo "next $(pgmigrate backup gc --json | jq -c .removed)"' bash "$1"
    assert_status 0
    assert_output "next []"
}

@test "a disk that is full when the footer or the record is written fails the backup, and not the next one" {
    with_mounts mount -t tmpfs tmpfs /mnt 2>/dev/null || skip "nothing can be mounted here"
    take_backup
    local pages=$(($(stat -c %s "$ARCHIVE") / 4096)) room full=
    for ((room = pages; room < pages + 9; room++)); do
        backup_with_room "$room"
        [[ $output != *"status 0"* ]] || break
        assert_output "status 1"
        assert_output "No space left on device"
        assert_output "listed 0"
        assert_output "left 0"
        full+=$output
    done
    assert_output "listed 1"
    assert_output "left 3"
    [[ $full == *".tar.part\": No space"* ]]
    [[ $full =~ \.(json\.part|tar\.sha256)\":\ No\ space ]] # which one depends on what the archive's end has left
}

@test "a repository that cannot be written is told before anything is locked" {
    : >backups
    run_pgmigrate backup create
    assert_status 1
    assert_stderr "backups"
    rm backups
    if [ "$(id -u)" != 0 ]; then # root may write anywhere
        mkdir -m 500 backups
        run_pgmigrate backup create
        assert_status 1
        assert_stderr "ermission denied"
    fi
}

refuses_sessions()
{
    ! psql_value "select 1"
}

@test "a server that stops fails the backup" {
    start_own_cluster
    create_table big 20000
    pause_backup backup-streaming -j 2 --split-larger-than 256kB
    # Goes on while the server stops: that waits for who cannot be told because his socket is full.
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null 3>&- &
    stopping=$!
    wait_until refuses_sessions
    continue_backup
    wait_pgmigrate
    assert_status 4
    wait "$stopping"
    assert_nothing_left
    no_backup_is_listed
}

@test "a server that does not answer keeps no backup that got a signal" {
    psql_value "insert into big select g, repeat(md5(g::text), 3) from generate_series(1, 200000) g"
    pause_backup backup-streaming
    stop_backend "query ~* '^copy' and state = 'active'"
    kill -TERM "$PGMIGRATE_PID"
    continue_backup
    wait_until eval '! kill -0 "$PGMIGRATE_PID"'
    kill -CONT "$BACKEND"
    wait_pgmigrate
    assert_status 143
    assert_nothing_left
}

# ---- standby ----

# As the user that the tests' servers run as.
as_server() # COMMAND...
{
    local socket
    socket=$(printf '%s\n' "$TEST_SERVER_URL" | sed 's/.*[?&]host=\([^&]*\).*/\1/; s/%2[Cc]/,/g')
    if [ "$(id -u)" = 0 ]; then
        setpriv "--reuid=$(stat -c %u "$socket")" "--regid=$(stat -c %g "$socket")" --clear-groups "$@"
    else
        "$@"
    fi
}

pgmigrate_ctl() # FOLDER ACTION
{
    as_server "$(programs_folder)/pg_ctl" -D "$1" -w -m fast "$2" >/dev/null 2>&1 || true
    STANDBY=
    rm -rf "$(dirname "$1")"
}

@test "a standby gives a backup, which lists the unlogged tables it cannot read" {
    psql_value "create unlogged table fleeting (x int); insert into fleeting values (1)"
    place=$(mktemp -d /tmp/pgmigrate-standby.XXXXXX)
    chmod 777 "$place"
    as_server env "PGHOST=$(printf '%s\n' "$TEST_SERVER_URL" | sed 's/.*[?&]host=\([^&]*\).*/\1/; s/%2[Cc]/,/g')" PGUSER=postgres \
        pg_basebackup -D "$place/data" -R -X stream -c fast
    STANDBY=$place/data
    as_server "$(programs_folder)/pg_ctl" -D "$place/data" -w -l "$place/log" \
        -o "-c unix_socket_directories='$place' -c listen_addresses='' -c port=5433" start >/dev/null 3>&-
    DATABASE_URL="postgresql://postgres@/$TEST_DATABASE?host=$place&port=5433" run_pgmigrate backup create --json -j 2 \
        --split-larger-than 256kB --verify
    assert_status 3
    assert_equal "$(json '.ok, .skipped, .rows')" "$(printf 'true\n1\n20010')"
    assert_stderr 'the rows of table "public.fleeting" are not in this backup'
    ARCHIVE=$(json .path)
    assert_equal "$(manifest '.standby, (.tables[] | select(.name == "fleeting") | .source)' | xargs)" "true skipped"
    DATABASE_URL="postgresql://postgres@/$TEST_DATABASE?host=$place&port=5433" run_pgmigrate restore latest
    assert_status 4
    assert_stderr "$place is a standby"
    assert_stderr "Connect to the primary"
    [ "$(manifest .lsn)" != null ]
    # What is in the way of its replay is ended.
    local direct=$DATABASE_URL
    DATABASE_URL="postgresql://postgres@/$TEST_DATABASE?host=$place&port=5433"
    psql -Xq -d "$DATABASE_URL" -c "alter system set max_standby_streaming_delay = '50ms'" -c "select pg_reload_conf()" >/dev/null
    pause_backup backup-streaming --split-larger-than 64kB --lock-wait-timeout 1
    psql -Xq -d "$direct" -c "delete from big" -c "vacuum big"
    wait_until psql_true "select count(*) = 0 from pg_stat_activity where datname = current_database() and backend_xmin is not null
        and pid <> pg_backend_pid()"
    sleep 1
    continue_backup
    wait_pgmigrate
    [ "$status" -eq 1 ] || assert_status 4
    assert_stderr "hot_standby_feedback = on"
    assert_stderr "max_standby_streaming_delay"
    assert_equal "$(pgmigrate backup list --json | jq '.backups | length')" 1
    # Where there is time left, it begins anew.
    psql -Xq -d "$direct" -c "insert into big select g, 'x' from generate_series(1, 20000) g"
    wait_until psql_true "select count(*) > 0 from big"
    pause_backup backup-streaming --split-larger-than 64kB
    psql -Xq -d "$direct" -c "delete from big" -c "vacuum big"
    wait_until psql_true "select count(*) = 0 from pg_stat_activity where datname = current_database() and backend_xmin is not null
        and pid <> pg_backend_pid()"
    continue_backup
    wait_pgmigrate
    assert_status 3
    assert_stderr "waiting: "
}

@test "what --verify finds damaged right after it was written is none to count on" {
    create_table notes 10
    pause_backup record-written --verify
    ARCHIVE=$(echo "$PGMIGRATE_REPOSITORY"/*.tar)
    printf '%b' "\\x$(printf %02x $(($(od -An -tu1 -j 700 -N 1 "$ARCHIVE") ^ 4)))" |
        dd of="$ARCHIVE" bs=1 seek=700 conv=notrunc status=none
    continue_backup
    wait_pgmigrate
    assert_status 9
    assert_equal "$(jq -r .verified_how "${ARCHIVE%.tar}.json")" damaged
}
