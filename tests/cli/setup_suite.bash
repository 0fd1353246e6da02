# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash

setup_suite()
{
    cd "$BATS_TEST_DIRNAME/../.." || return
    . tests/cli/server.bash
    # Of tests/run or ours; only ours is ended by us.
    suite_server=${TEST_SERVER_URL:+theirs}
    server_begin
}

teardown_suite()
{
    [ -n "$suite_server" ] || server_end
}
