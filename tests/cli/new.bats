# SPDX-License-Identifier: PostgreSQL

load helpers

# No database is needed.
setup()
{
    cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
    :
}

@test "new makes the folder and both files, and prints their paths" {
    run_pgmigrate new Add Orders
    assert_status 0
    assert_equal "$output" "migrations/001_add_orders.sql
migrations/001_add_orders_rollback.sql"
    assert_equal "$stderr" ""
    grep -q '^-- 001_add_orders, 20' migrations/001_add_orders.sql
    [ -s migrations/001_add_orders_rollback.sql ]
}

@test "new goes on in the width of the last number" {
    echo 'SELECT 1;' | migration 0041_a
    echo 'SELECT 1;' | migration 0041a_b
    run_pgmigrate new "c" --json
    assert_status 0
    assert_equal "$(json .version)" 0042_c
    assert_equal "$(json '.files | join(" ")')" "migrations/0042_c.sql migrations/0042_c_rollback.sql"
}

@test "new uses timestamps where the folder does, or where it is told to" {
    echo 'SELECT 1;' | migration 20260101000000_a
    run_pgmigrate new b
    [[ $output =~ ^migrations/202[0-9]{11}_b\.sql ]]
    mkdir other
    run_pgmigrate new b -m other --numbering timestamp
    [[ $output =~ ^other/202[0-9]{11}_b\.sql ]]
    PGMIGRATE_NEW_VERSION=sequence run_pgmigrate new c -m fresh
    assert_equal "${lines[0]}" fresh/001_c.sql
}

@test "new follows the folder's layout" {
    mkdir migrations
    echo 'SELECT 1;' >migrations/7_a.up.sql
    run_pgmigrate new b
    assert_equal "$output" "migrations/8_b.up.sql
migrations/8_b.down.sql"
    run_pgmigrate new b -m dated --layout flyway
    assert_equal "$output" "dated/V1__b.sql
dated/U1__b.sql"
    run_pgmigrate new b -m parts --layout sections
    assert_equal "$output" "parts/001_b.sql"
    grep -qx -- '-- migrate:down' parts/001_b.sql
}

@test "new numbers over all configured folders and writes to the last, or to the one given" {
    mkdir core pack
    printf '[migrations]\ndirectory = core, pack\n' >pgmigrate.conf
    echo 'SELECT 1;' >core/007_a.sql
    run_pgmigrate new b
    assert_equal "${lines[0]}" pack/008_b.sql
    run_pgmigrate new c -m core
    assert_equal "${lines[0]}" core/009_c.sql
}

@test "new works beside files that hold mistakes" {
    echo '-- pgmigrate: nonsense' | migration 003_a
    run_pgmigrate new b
    assert_status 0
    assert_equal "${lines[0]}" migrations/004_b.sql
}

@test "new refuses a description that would be read as a rollback" {
    run_pgmigrate new fix rollback
    assert_status 2
    assert_stderr 'ends like a rollback or verify script'
    [ ! -e migrations ]
}

@test "new refuses a description without letters and digits" {
    run_pgmigrate new '!?'
    assert_status 2
    assert_stderr 'holds no letter a-z and no digit'
    run_pgmigrate new
    assert_status 2
}

@test "new leaves nothing behind when it cannot write the second file" {
    mkdir migrations
    mkdir migrations/001_a_rollback.sql
    run_pgmigrate new a
    assert_status 1
    assert_stderr 001_a_rollback.sql
    [ ! -e migrations/001_a.sql ]
}
