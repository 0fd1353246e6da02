# SPDX-License-Identifier: PostgreSQL

load helpers

setup()
{
    cd "$BATS_TEST_TMPDIR"
}

teardown()
{
    pgmigrate cluster stop --remove >/dev/null
}

@test "start makes a cluster in .pgmigrate/cluster, and url leads to it" {
    run_pgmigrate cluster start
    assert_status 0
    assert_output "running   PostgreSQL"
    [ -d .pgmigrate/cluster ]
    DATABASE_URL=$(pgmigrate cluster url)
    assert_value "select current_user || current_setting('listen_addresses')" postgres
}

@test "the cluster is beside the configuration file" {
    echo "[migrations]" >pgmigrate.conf
    mkdir sub
    cd sub
    run_pgmigrate cluster start
    assert_status 0
    [ -d ../.pgmigrate/cluster ]
    [ ! -e .pgmigrate ]
}

@test "status tells absent, running and stopped" {
    run_pgmigrate cluster status --json
    assert_status 0
    assert_equal "$(json .state)" absent
    assert_equal "$(json .folder)" "$PWD/.pgmigrate/cluster"
    [ ! -e .pgmigrate ]

    run_pgmigrate cluster start --json
    assert_equal "$(json .state)" running
    assert_equal "$(json .folder)" "$(realpath .pgmigrate/cluster)"
    kill -0 "$(json .pid)"

    run_pgmigrate cluster stop --json
    assert_equal "$(json .state)" stopped
    assert_equal "$(json .pid)" null
}

@test "a cluster that may not be reached is not called absent or removed" {
    mkdir -p .pgmigrate/cluster
    chmod 000 .pgmigrate
    for command in status "stop --remove" stop url; do
        # shellcheck disable=SC2086 # words
        run_program without_rights pgmigrate cluster $command
        assert_status 1
        assert_stderr ".pgmigrate/cluster/lock\": Permission denied"
    done
    chmod 700 .pgmigrate
}

@test "url of a stopped cluster fails and says how to start it" {
    run_pgmigrate cluster url
    assert_status 4
    assert_equal "$output" ""
    assert_stderr "is not running"
    assert_stderr "pgmigrate cluster start"
}

@test "stop --remove takes nothing away that start did not make" {
    mkdir -p project/server/data
    touch project/precious project/server/code.c project/server/data/PG_VERSION
    run_pgmigrate cluster stop --remove --folder project
    assert_status 0
    run_pgmigrate cluster stop --folder project
    assert_status 0
    assert_equal "$(cd project && find . -type f | sort | tr '\n' ' ')" \
        "./precious ./server/code.c ./server/data/PG_VERSION "
    run_pgmigrate cluster start --folder project
    assert_status 2
    assert_stderr 'project/server" is there already'
    [ ! -e project/server/log ]

    mkdir other
    touch other/precious
    pgmigrate cluster start --folder other
    pgmigrate cluster stop --remove --folder other
    assert_equal "$(find other)" $'other\nother/precious'
}

@test "stop --remove leaves nothing behind" {
    pgmigrate cluster start --folder here
    server=$(realpath here/server)
    run_pgmigrate cluster stop --remove --folder here
    assert_status 0
    [ ! -e here ]
    [ ! -e "$server" ]
}

@test "the server goes on when pgmigrate and its terminal are gone" {
    setsid bash -c 'pgmigrate cluster start >/dev/null; kill -HUP 0' || true
    DATABASE_URL=$(pgmigrate cluster url)
    assert_value "select 1" 1
}

@test "start and stop with --quiet print nothing, status is asked to" {
    run_pgmigrate cluster start --quiet
    assert_equal "$output$stderr" ""
    run_pgmigrate cluster status --quiet
    assert_output "running"
    run_pgmigrate cluster stop --quiet
    assert_equal "$output$stderr" ""
}
