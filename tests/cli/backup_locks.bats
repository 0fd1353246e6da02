# SPDX-License-Identifier: PostgreSQL
# Backups among others: who changes tables, who waits, who migrates, and other backups.

load helpers
load backup

setup()
{
    backup_setup
}

teardown()
{
    [ -z "${PGMIGRATE_PID-}" ] || kill -CONT "$PGMIGRATE_PID" 2>/dev/null || true
    test_teardown
}

# A statement in the background, in psql under the name "other".
other() # SQL
{
    PGAPPNAME=other psql -XAtq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -c "$1" >other.out 2>&1 3>&- &
    OTHER_PID=$!
}

other_waits()
{
    session "application_name = 'other' and wait_event_type = 'Lock'"
}

@test "a table truncated and filled anew while it is listed is not read as empty" {
    create_table notes 3000
    pause_backup backup-listed --split-larger-than 64kB
    psql_value "begin; truncate notes; insert into notes values (1, 'new'), (2, 'new'); commit"
    continue_backup
    wait_pgmigrate
    assert_status 0
    ARCHIVE=$(json .path)
    assert_equal "$(manifest '.tables[0].rows')" 2
}

@test "a table rewritten, one dropped and one created while they are listed are seen as they are" {
    create_table rewritten 3000
    create_table dropped 10
    pause_backup backup-listed --split-larger-than 64kB
    psql_value "alter table rewritten alter id type bigint; drop table dropped; create table created as select 1 as one"
    continue_backup
    wait_pgmigrate
    assert_status 0
    ARCHIVE=$(json .path)
    assert_equal "$(manifest '.tables | sort_by(.name)[] | "\(.name) \(.rows)"' | xargs)" "created 1 rewritten 3000"
}

@test "once the snapshot is there nobody can truncate a table, and new rows are not in it" {
    create_table notes 3000
    pause_backup backup-locked --split-larger-than 64kB
    psql_value "insert into notes values (0, 'late')"
    run psql_value "set lock_timeout = '200ms'; truncate notes"
    [ "$status" -ne 0 ]
    continue_backup
    wait_pgmigrate
    assert_status 0
    ARCHIVE=$(json .path)
    assert_equal "$(manifest '.tables[0].rows')" 3000
}

@test "who queues for a table between our lock and pg_dump's gets it, and the backup begins again" {
    create_table small 10
    create_table big 3000
    pause_backup backup-locked --split-larger-than 512kB
    other "alter table small add column late int"
    wait_until other_waits
    continue_backup
    wait "$OTHER_PID"
    wait_pgmigrate
    assert_status 0
    ARCHIVE=$(json .path)
    [[ $(manifest '.tables[] | select(.name == "small") | .columns') == *late* ]]
}

@test "a lock that cannot be had is exit 5, and tells who holds it" {
    create_table notes 10
    other "begin; lock table notes; select pg_sleep(30)"
    wait_until psql_true "select exists (select 1 from pg_locks where mode = 'AccessExclusiveLock' and granted
                                          and relation = 'notes'::regclass)"
    run_pgmigrate backup create --lock-wait-timeout 1
    assert_status 5
    assert_stderr "could not lock the tables"
    assert_stderr 'table "public.notes" is locked by pid'
    assert_stderr "(other, user postgres"
    assert_stderr "--lock-wait-timeout"
    assert_nothing_left
    kill "$OTHER_PID"
}

@test "a backup waits for a lock that is let go, and says for whom" {
    create_table notes 10
    other "begin; lock table notes; select pg_sleep(60)"
    wait_until psql_true "select exists (select 1 from pg_locks where mode = 'AccessExclusiveLock' and granted
                                          and relation = 'notes'::regclass)"
    start_pgmigrate backup create
    wait_until grep -qF 'waiting: table "public.notes" is locked by pid' background.err
    psql_value "select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'other' and datname = current_database()"
    wait_pgmigrate
    assert_status 0
}

@test "a backup that keeps others waiting for too long gives up" {
    create_table notes 20000
    pause_backup backup-streaming --split-larger-than 64kB --max-block 1
    other "alter table notes add column late int"
    wait_until other_waits
    sleep 1.5
    continue_backup
    wait_pgmigrate
    assert_status 5
    assert_output "given up"
    assert_output "(other, user postgres) has waited"
    wait "$OTHER_PID"
    assert_nothing_left
}

@test "two backups at once: the second is exit 5, or waits" {
    create_table notes 10
    pause_backup backup-locked
    run_pgmigrate backup create --wait-lock 0
    assert_status 5
    assert_stderr "pgmigrate backup"
    # Nor into another repository: they would wait for the run lock.
    run_pgmigrate backup create --wait-lock 0 --repository elsewhere
    assert_status 5
    pgmigrate backup create -q --wait-lock 60 2>second.err 3>&- &
    second=$!
    wait_until psql_true "select count(*) > 1 from pg_stat_activity
        where application_name = 'pgmigrate backup' and datname = current_database()"
    continue_backup
    wait_pgmigrate
    assert_status 0
    wait "$second"
    set -- backups/*.json
    assert_equal "$#" 2
}

@test "apply names the backup that it waits for" {
    migration 001_one <<<'CREATE TABLE one (x int);'
    pause_backup backup-locked
    run_pgmigrate apply --wait-lock 0
    assert_status 5
    assert_stderr "another run holds the run lock"
    assert_stderr "(pgmigrate backup, user postgres"
    continue_backup
    wait_pgmigrate
    assert_status 0
    run_pgmigrate apply
    assert_status 0
}

@test "a backup does not begin between two files of one apply" {
    migration 001_one <<<'CREATE TABLE one (x int);'
    migration 002_two <<<'SELECT pg_sleep(2); CREATE TABLE two (x int);'
    start_pgmigrate apply
    wait_until psql_true "select to_regclass('one') is not null"
    run pgmigrate backup create --json
    assert_status 0
    ARCHIVE=$(printf '%s\n' "$output" | jq -r 'select(.path).path' 2>/dev/null | tail -n 1)
    [ -n "$ARCHIVE" ] || ARCHIVE=$(printf '%s\n' backups/*.tar)
    assert_equal "$(manifest '[.migrations[].version] | join(" ")')" "001_one 002_two"
    wait_pgmigrate
    assert_status 0
}

@test "a transaction pooler is refused" {
    start_pgbouncer transaction
    run_pgmigrate backup create
    assert_status 4
    assert_stderr "goes through a pooler"
    assert_stderr "--pooler=session"
    assert_nothing_left
}

@test "where pg_dump can never lock all tables nothing is begun" {
    start_own_cluster
    psql_value "alter system set max_locks_per_transaction = 10"
    psql_value "alter system set max_connections = 20"
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
    psql_value "do \$\$ begin for n in 0..29 loop
        for i in 1..100 loop execute format('create table t%s_%s()', n, i); end loop; commit; end loop; end \$\$"
    run_pgmigrate backup create --json
    assert_status 10
    assert_equal "$(json .error.message)" "the server has 200 locks, and pg_dump needs one for each of 3000 tables"
    assert_equal "$(json .error.hint)" "Raise max_locks_per_transaction (the server has to be restarted)."
    assert_nothing_left
}

@test "with too few locks the backup is taken in pg_dump's order, with a warning" {
    start_own_cluster
    psql_value "alter system set max_locks_per_transaction = 10"
    psql_value "alter system set max_connections = 12"
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
    psql_value "do \$\$ begin for i in 1..60 loop execute format('create table t%s as select 1 as one', i); end loop; end \$\$"
    create_table big 3000
    take_backup --split-larger-than 1MB
    assert_stderr "raise max_locks_per_transaction"
    assert_equal "$(json .tables)" 61
    assert_equal "$(json .rows)" 3060
    # A table rewritten while nothing of ours had locked it is found.
    pause_backup backup-locked --split-larger-than 1MB
    psql_value "set lock_timeout = '5s'; truncate t7"
    continue_backup
    wait_pgmigrate
    assert_status 1
    assert_output '"public.t7\" was rewritten'
}

@test "what a role may not see of who holds a table is left out, not zero" {
    local role=${TEST_DATABASE}_r
    create_table notes 10
    psql_value "create role $role login; alter table notes owner to $role"
    hold holder "lock table notes"
    run_pgmigrate backup -d "$(database_url "$TEST_DATABASE" "$role")" --lock-wait-timeout 1
    release holder
    psql_value "drop owned by $role; drop role $role"
    assert_status 5
    [[ $stderr =~ 'table "public.notes" is locked by pid '[0-9]+' (hold_holder, user postgres).' ]]
}
