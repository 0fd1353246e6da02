# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# For the tests of taking backups: `load backup` after `load helpers`.

# Backups go to the folder backups/ of the test.
backup_setup()
{
    test_setup
    export PGMIGRATE_REPOSITORY=$PWD/backups
}

# Take one; it has to succeed. ARCHIVE is its path, output the JSON document.
take_backup() # ARGUMENT...
{
    run_pgmigrate backup create --json "$@"
    assert_status 0
    ARCHIVE=$(json .path)
}

# Take one that has something to tell.
take_backup_with_warnings() # ARGUMENT...
{
    run_pgmigrate backup create --json "$@"
    assert_status 3
    assert_equal "$(json .ok)" true
    ARCHIVE=$(json .path)
}

# A query of jq's on the manifest of ARCHIVE.
manifest() # FILTER
{
    tar -xOf "$ARCHIVE" manifest.json | jq -r "$1"
}

# The rows of a table that was streamed, as text.
streamed_rows() # TABLE
{
    local folder
    folder=$(tar -xOf "$ARCHIVE" tables/index.tsv | awk -F '\t' -v name="\"public\".\"$1\"" '$4 == name { print $1 }')
    [[ $folder =~ ^[0-9]+$ ]] || return 1
    tar -xOf "$ARCHIVE" --wildcards "tables/$folder/*.zst" | zstd -dc
}

# A table of so many rows and some 100 bytes each.
create_table() # NAME ROWS
{
    psql_value "create table \"$1\" as select g as id, repeat(md5(g::text), 3) as text from generate_series(1, $2) g"
}

# No backup, and nothing of one: only what a repository always has.
assert_nothing_left()
{
    local left
    left=$(find backups -type f ! -name lock ! -name 'catalog.sqlite*' ! -name '*failed*' 2>/dev/null || true)
    assert_equal "$left" ""
}

# Sessions of ours in the test's database.
our_sessions()
{
    psql_server "select count(*) from pg_stat_activity
                  where datname = '$TEST_DATABASE'
                    and (application_name like 'pgmigrate%' or application_name like 'pg_dump%')"
}

no_sessions_left()
{
    [ "$(our_sessions)" = 0 ]
}

# ---- stopping at points ----

# Begin a backup that stops itself at a point (common/test_point.h); when this returns it stands there.
pause_backup() # POINT ARGUMENT...
{
    local point=$1
    shift
    PGMIGRATE_TEST_PAUSE=$point "$TEST_BUILD/points/pgmigrate" backup create --json "$@" \
        </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
    wait_until is_stopped
}

is_stopped()
{
    [[ $(cut -d ' ' -f 3 "/proc/$PGMIGRATE_PID/stat") == T ]]
}

continue_backup()
{
    kill -CONT "$PGMIGRATE_PID"
}

# Where the server's own client programs are.
programs_folder()
{
    local major
    major=$(server_major)
    for folder in "${PGMIGRATE_PG_BINDIR:-/nowhere}" "/usr/lib/postgresql/$major/bin" "/usr/pgsql-$major/bin"; do
        [ ! -x "$folder/pg_dump" ] || { printf '%s\n' "$folder"; return; }
    done
    dirname "$(type -P pg_dump)"
}
