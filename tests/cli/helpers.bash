# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# What every .bats file begins with: `load helpers`. Each test gets an empty folder to stand in and an empty database
# of its own at DATABASE_URL; both are gone afterwards. A file that needs more in setup() or teardown() defines them
# anew and calls test_setup and test_teardown.

bats_require_minimum_version 1.5.0

setup()
{
    test_setup
}

teardown()
{
    test_teardown
}

# Here as elsewhere in these helpers the number of processes is what a test costs.
test_setup()
{
    cd "$BATS_TEST_TMPDIR" || return
    TEST_DATABASE=t_${BASHPID}_$RANDOM$RANDOM
    create_test_database
    DATABASE_URL=${TEST_SERVER_URL/\/\/postgres@\/postgres\?///postgres@/$TEST_DATABASE?}
    export DATABASE_URL
}

# The database of the test before this one goes in the same session; the file's last one in teardown_file.
create_test_database()
{
    local before=
    [ ! -e "$BATS_FILE_TMPDIR/database" ] || read -r before <"$BATS_FILE_TMPDIR/database"
    psql -XAtq -v ON_ERROR_STOP=1 -d "$TEST_SERVER_URL" ${before:+-c "drop database if exists $before with (force)"} \
        -c "create database $TEST_DATABASE $TEST_CREATE_OPTIONS"
    printf '%s\n' "$TEST_DATABASE" >"$BATS_FILE_TMPDIR/database"
}

# For a test that has to drop roles behind it.
drop_test_database()
{
    psql_server "drop database if exists $TEST_DATABASE with (force)"
}

teardown_file()
{
    local TEST_DATABASE
    [ -e "$BATS_FILE_TMPDIR/database" ] || return 0
    read -r TEST_DATABASE <"$BATS_FILE_TMPDIR/database"
    drop_test_database
}

test_teardown()
{
    local jobs
    stop_pgbouncer
    # What a failed test left running would wait, for as long as it can, for a database that is gone.
    jobs=$(jobs -p)
    # shellcheck disable=SC2086 # a list of numbers
    [ -z "$jobs" ] || kill -KILL $jobs 2>/dev/null || true
    if [ -n "${TEST_OWN_CLUSTER-}" ]; then
        pgmigrate cluster stop --remove --folder "$TEST_OWN_CLUSTER" >/dev/null
    fi
}

# A role of an application, and the configuration that says so: its tenant is the setting app.tenant.
application_role() # ROLE
{
    psql_value "create role $1 login"
    printf '[rls]\nroles = %s\ntenant_setting = app.tenant\n' "$1" >pgmigrate.conf
}

# ---- the server ----

# The URI of another database of the tests' server, for "postgres" or another user.
database_url() # NAME [USER]
{
    printf '%s\n' "${TEST_SERVER_URL/\/\/postgres@\/postgres\?///${2:-postgres}@/$1?}"
}

psql_server() # SQL
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$TEST_SERVER_URL" -c "$1"
}

# What a query answers in the test's database: rows in lines, columns separated by |.
psql_value() # SQL
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -c "$1"
}

server_major()
{
    psql_server "select current_setting('server_version_num')::int / 10000"
}

# A server that may be stopped or killed; DATABASE_URL is its database "postgres".
start_own_cluster()
{
    TEST_OWN_CLUSTER=$BATS_TEST_TMPDIR/cluster
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
    DATABASE_URL=$(pgmigrate cluster url --folder "$TEST_OWN_CLUSTER")
}

# PgBouncer in front of the tests' server: DATABASE_URL goes through it, DIRECT_URL does not.
start_pgbouncer() # transaction|session|statement
{
    local folder owner user=() socket
    socket=$(printf '%s\n' "$TEST_SERVER_URL" | sed 's/.*[?&]host=\([^&]*\).*/\1/; s/%2[Cc]/,/g')
    folder=$(mktemp -d /tmp/pgmigrate-bouncer.XXXXXX)
    owner=$(stat -c %u:%g "$socket")
    [ "$(id -u)" != 0 ] || user=(setpriv "--reuid=${owner%:*}" "--regid=${owner#*:}" --clear-groups)
    cat >"$folder/pgbouncer.ini" <<INI
[databases]
* = host=$socket port=5432 user=postgres
[pgbouncer]
pool_mode = $1
listen_addr =
listen_port = 6432
unix_socket_dir = $folder
auth_type = any
admin_users = postgres
default_pool_size = 3
ignore_startup_parameters = extra_float_digits
INI
    chmod 644 "$folder/pgbouncer.ini"
    [ "$(id -u)" != 0 ] || chown "$owner" "$folder"
    PGBOUNCER_FOLDER=$folder
    # Not the descriptor on which bats waits for a test's children.
    (cd "$folder" && exec "${user[@]}" pgbouncer -q pgbouncer.ini </dev/null >log 2>&1 3>&-) &
    PGBOUNCER_PID=$!
    DIRECT_URL=$DATABASE_URL
    DATABASE_URL="postgresql://postgres@/$TEST_DATABASE?host=$folder&port=6432"
    wait_until psql_value "select 1"
}

stop_pgbouncer()
{
    [ -n "${PGBOUNCER_PID-}" ] || return 0
    kill "$PGBOUNCER_PID" 2>/dev/null || true
    wait "$PGBOUNCER_PID" 2>/dev/null || true
    rm -rf "$PGBOUNCER_FOLDER"
    unset PGBOUNCER_PID
    DATABASE_URL=$DIRECT_URL
}

# ---- pgmigrate ----

# A command that file permissions bind, also where root runs the tests; his files stay his own.
without_rights() # COMMAND…
{
    local drop=()
    [ "$(id -u)" != 0 ] || drop=(setpriv "--bounding-set=-dac_override,-dac_read_search")
    "${drop[@]}" "$@"
}

# Sets status, output (stdout), stderr, and output's lines: `run_pgmigrate apply --to 3`.
run_pgmigrate()
{
    run_program pgmigrate "$@"
}

# As `run --separate-stderr` of bats, with one process instead of six.
run_program() # PROGRAM ARGUMENT…
{
    status=0
    "$@" </dev/null >"$BATS_TEST_TMPDIR.out" 2>"$BATS_TEST_TMPDIR.err" || status=$?
    read_result "$BATS_TEST_TMPDIR.out" "$BATS_TEST_TMPDIR.err"
}

read_result() # FILE FILE
{
    IFS= read -r -d '' output <"$1" || true
    IFS= read -r -d '' stderr <"$2" || true
    output=${output%"${output##*[!$'\n']}"}
    stderr=${stderr%"${stderr##*[!$'\n']}"}
    # shellcheck disable=SC2034 # for the tests
    mapfile -t lines <"$1"
}

# Begin a pgmigrate that is to be waited for, killed or watched: PGMIGRATE_PID; its output goes to the files
# background.out and background.err of the test's folder.
start_pgmigrate()
{
    pgmigrate "$@" </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
}

# Its exit status in $status, its output in $output and $stderr.
wait_pgmigrate()
{
    status=0
    wait "$PGMIGRATE_PID" || status=$?
    read_result background.out background.err
}

# Run a pgmigrate that is killed at a point of common/test_point.h: "NAME", or "NAME:3" for the third time there.
kill_pgmigrate_at() # POINT ARGUMENT…
{
    local point=$1
    shift
    PGMIGRATE_TEST_STOP=$point run_program "$TEST_BUILD/points/pgmigrate" "$@"
    [ "$status" -eq 137 ] && return 0
    echo "was not killed at $point" >&2
    show_result
    return 1
}

# Write a file of the folder migrations/, its text from stdin: `migration 001_users <<'SQL'`.
migration() # STEM
{
    local text
    [ -d migrations ] || mkdir migrations
    # Out of a pipe read takes one byte after the other, which costs less than a process only for so long.
    if IFS= read -r -d '' -n 4096 text; then
        { printf '%s' "$text"; cat; } >"migrations/$1.sql"
    else
        printf '%s' "$text" >"migrations/$1.sql"
    fi
}

# What "rehearse --evidence" would write: a rehearsal of all migrations as they are, that ended some hours ago.
write_evidence() # FILE HOURS PASSED ID [JQ-FILTER]
{
    local files digest at
    files=$(cd migrations && sha256sum -- *.sql | jq -Rn '[inputs | split("  ") | {(.[1]): .[0]}] | add')
    at=$(date -u -d "$2 hours ago" +%FT%T.000000Z)
    jq -nS --argjson f "$files" --arg at "$at" --argjson passed "$3" --arg id "$4" '
        {pgmigrate_rehearsal: 1, id: $id, began_at: $at, ended_at: $at, environment: "staging", server: "stage:5432/shop",
         passed: $passed, signed_off: {by: "app@build", at: $at}, migrations: [$f | keys[]
            | select(endswith("_rollback.sql") | not) | rtrimstr(".sql") | {
            version: ., checksum: $f[. + ".sql"], rollback_checksum: $f[. + "_rollback.sql"], passed: $passed,
            execution_ms: 41000, rollback: "exact", estimate: {low_ms: 60000, high_ms: 100000},
            worst_lock: {relation: "public.orders", mode: "AccessExclusiveLock", held_ms: 180}}]}' |
        jq -S "${5:-.}" >"$1.unsigned"
    digest=$(jq -cS . "$1.unsigned" | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
    jq --arg digest "$digest" '.signed_off.sha256 = $digest' "$1.unsigned" >"$1"
}

# ---- waiting and looking ----

# Until a command succeeds; the test fails when it has not after 20 s (a sanitizer's build is slow).
wait_until() # COMMAND…
{
    local end=$((SECONDS + ${WAIT_SECONDS:-60}))
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "waited in vain for: $*" >&2
            return 1
        fi
        sleep 0.05
    done
}

# Whether a query answers "t".
psql_true() # SQL
{
    [ "$(psql_value "$1")" = t ]
}

# What goes on in the test's own database: tests of other files use the same server at the same time.

# Whether a session of the test's database is as the condition on pg_stat_activity says.
session() # CONDITION
{
    psql_true "select exists (select from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and $1)"
}

# Whether a pgmigrate runs pg_sleep.
sleeping()
{
    session "application_name = 'pgmigrate' and wait_event = 'PgSleep'"
}

# Whether no pgmigrate is connected.
no_session()
{
    psql_true "select not exists (select from pg_stat_activity where datname = current_database()
        and application_name = 'pgmigrate')"
}

# Whether a pgmigrate holds the run lock.
run_lock_held()
{
    psql_true "select exists (select from pg_locks where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database()))"
}

# A table "refuses" with one row, which cannot be changed; what tries a script does not find out, only a real COMMIT.
refuse_at_commit()
{
    psql_value "create table refuses (id int); insert into refuses values (1);
        create function no() returns trigger language plpgsql as
            'begin
                if current_query() ~* ''^commit'' then
                    raise exception ''no'';
                end if;
                return null;
             end';
        create constraint trigger refuses after update on refuses deferrable initially deferred
            for each row execute function no()"
}

# A session that runs SQL and then sleeps in its transaction until release NAME or the end of the test.
hold() # NAME SQL
{
    PGAPPNAME=hold_$1 psql -XAtq -d "$DATABASE_URL" -c "begin; $2; select pg_sleep(60)" >"$1.out" 2>&1 3>&- &
    wait_until session "application_name = 'hold_$1' and wait_event = 'PgSleep'"
}

release() # NAME
{
    psql_value "select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'hold_$1' and datname = current_database()" >/dev/null
}

# A session of the test's database stands still.
stop_backend() # CONDITION
{
    BACKEND=$(psql_value "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and $1 limit 1")
    kill -STOP "$BACKEND"
}

# Whether an index is being built concurrently: those of the history's own tables, which are made before, do not count.
building_index()
{
    psql_true "select exists (select from pg_stat_progress_create_index
        where datname = current_database() and command like '%CONCURRENTLY')"
}

show_result()
{
    printf '%s\n' "status: $status" "---- stdout" "$output" "---- stderr" "${stderr-}" "----" >&2
}

assert_status() # NUMBER
{
    [ "$status" -eq "$1" ] && return 0
    echo "expected exit status $1" >&2
    show_result
    return 1
}

assert_equal() # ACTUAL EXPECTED
{
    [ "$1" = "$2" ] && return 0
    printf 'expected: %s\nfound:    %s\n' "$2" "$1" >&2
    return 1
}

assert_output() # TEXT, a part of stdout
{
    [[ $output == *"$1"* ]] && return 0
    echo "stdout does not contain: $1" >&2
    show_result
    return 1
}

refute_output() # TEXT
{
    [[ $output != *"$1"* ]] && return 0
    echo "stdout contains: $1" >&2
    show_result
    return 1
}

assert_stderr() # TEXT, a part of stderr
{
    [[ $stderr == *"$1"* ]] && return 0
    echo "stderr does not contain: $1" >&2
    show_result
    return 1
}

refute_stderr() # TEXT
{
    [[ $stderr != *"$1"* ]] && return 0
    echo "stderr contains: $1" >&2
    show_result
    return 1
}

# A value out of the last --json document, by a path such as .migrations[0].state.
json() # PATH
{
    jq -r "$1" <<<"$output"
}

# Whether the query answers the value.
assert_value() # SQL EXPECTED
{
    assert_equal "$(psql_value "$1")" "$2"
}
