# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# The server of a run of tests. tests/run starts one for all files; a .bats file that is run alone starts its own.
# TEST_SERVER_URL is its superuser's URI, for database "postgres".

# Of the environment only what the tests set themselves counts; PGMIGRATE_PG_BINDIR chooses the server's programs.
unset DATABASE_URL
for name in $(compgen -e PG; compgen -e PGMIGRATE_); do
    [ "$name" = PGMIGRATE_PG_BINDIR ] || unset "$name"
done
export LC_ALL=C.UTF-8 PGCONNECT_TIMEOUT=10
export PGMIGRATE_CLUSTER_FSYNC=off

TEST_BUILD=$(cd "${BUILD:-build}" && pwd)
export TEST_BUILD
# Debian's psql is a Perl script in front of the program, which costs four times as much as the program itself.
PATH="$TEST_BUILD:$(pg_config --bindir):$PATH"
export PATH

server_begin()
{
    [ -z "${TEST_SERVER_URL-}" ] || return 0
    TEST_SERVER_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/pgmigrate-test.XXXXXX")
    chmod 755 "$TEST_SERVER_FOLDER"
    export TEST_SERVER_FOLDER
    pgmigrate cluster start --folder "$TEST_SERVER_FOLDER/server" >/dev/null
    TEST_SERVER_URL=$(pgmigrate cluster url --folder "$TEST_SERVER_FOLDER/server")
    export TEST_SERVER_URL
    # A copy of files takes half the time of one through the log, which is the default where there are both.
    TEST_CREATE_OPTIONS=$(psql -XAtq -d "$TEST_SERVER_URL" -c "select 'strategy file_copy'
        where current_setting('server_version_num')::int >= 150000")
    export TEST_CREATE_OPTIONS
}

server_end()
{
    [ -n "${TEST_SERVER_FOLDER-}" ] || return 0
    pgmigrate cluster stop --remove --folder "$TEST_SERVER_FOLDER/server" >/dev/null || true
    rm -rf "$TEST_SERVER_FOLDER"
    unset TEST_SERVER_FOLDER
}
