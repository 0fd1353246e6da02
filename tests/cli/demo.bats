# SPDX-License-Identifier: PostgreSQL
# The demo has a server of its own.

load helpers

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
    mkdir temporary
}

teardown()
{
    :
}

@test "the demo tells its story in a pipe, and leaves nothing behind" {
    TMPDIR=$PWD/temporary CI=true run_pgmigrate demo
    assert_status 0
    refute_output $'\033'
    for command in status plan apply rehearse rollback history rls "backup list" restore; do
        assert_output "\$ pgmigrate $command"
    done
    [[ $stderr =~ \.sql:[0-9]+:[0-9]+:\ error ]]
    assert_stderr "row-level security is weaker"
    assert_stderr "probes as tenants 1 and 2"
    assert_output "its server and its folder are gone again"
    assert_equal "$(find temporary -mindepth 1)" ""
}

@test "with --json the demo's stdout is one document" {
    run_pgmigrate demo --json
    assert_status 0
    assert_equal "$(printf '%s\n' "$output" | wc -l)" 1
    assert_equal "$(json '[.command, .ok] | map(tostring) | join(" ")')" "demo true"
    assert_stderr "\$ pgmigrate status"
}
