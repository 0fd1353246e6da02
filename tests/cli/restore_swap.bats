# SPDX-License-Identifier: PostgreSQL
# A restored database in the place of the other.

load helpers
load backup

setup()
{
    backup_setup
}

teardown()
{
    local name
    [ -z "${CLIENT-}" ] || kill "$CLIENT" 2>/dev/null || true
    for name in $(psql_server "select datname from pg_database where datname like '${TEST_DATABASE}\\_%'"); do
        psql_server "drop database $name with (force)"
    done
    test_teardown
    drop_test_database
    psql_server "drop role if exists ${TEST_DATABASE}_owner" 2>/dev/null
}

databases()
{
    psql_server "select string_agg(regexp_replace(datname, '[0-9]{8}_[0-9]{6}', 'TIME'), ' ' order by datname)
                   from pg_database where datname like '$TEST_DATABASE%' and datallowconn"
}

@test "the restored database has the other's name, which is kept under another one" {
    create_table notes 10
    take_backup
    psql_value "delete from notes"
    run_pgmigrate restore latest --swap --yes --json
    assert_status 0
    assert_equal "$(json '.swapped, .database' | xargs)" "true $TEST_DATABASE"
    previous=$(json .previous_database)
    [[ $previous == ${TEST_DATABASE}_before_restore_* ]]
    assert_value "select count(*) from notes" 10
    assert_equal "$(psql -XAtq -d "$(database_url "$previous")" -c "select count(*) from notes")" 0
    assert_value "select current_setting('pgmigrate.restored', true)" ""
    assert_equal "$(databases)" "$TEST_DATABASE ${TEST_DATABASE}_before_restore_TIME"
}

# Connects again and again, as an application does whose connections were ended.
connect_in_a_loop()
{
    while true; do
        psql -XAtq -d "$DATABASE_URL" -c "select 'connected'; select pg_sleep(0.2)" 2>/dev/null || true
    done
}

@test "clients that connect again and again do not keep it from happening" {
    create_table notes 10
    take_backup
    for _ in 1 2 3; do
        connect_in_a_loop </dev/null >>clients.out 3>&- &
        CLIENT="${CLIENT-} $!"
    done
    wait_until grep -q connected clients.out
    run_pgmigrate restore latest --swap --yes
    # shellcheck disable=SC2086 # a list of numbers
    kill $CLIENT
    CLIENT=
    assert_status 0
    assert_equal "$(databases)" "$TEST_DATABASE ${TEST_DATABASE}_before_restore_TIME"
    psql_value "select 1"
}

@test "in a protected environment the name must be confirmed" {
    create_table notes 10
    take_backup
    printf '[environment production]\nprotected = yes\n' >pgmigrate.conf
    run_pgmigrate restore latest --swap --yes -e production
    assert_status 10
    assert_stderr "--confirm $TEST_DATABASE"
    PGMIGRATE_PROTECTED=yes run_pgmigrate restore latest --swap --yes
    assert_status 10
    assert_stderr "the database is protected"
    run_pgmigrate restore latest --swap --yes -e production --confirm other
    assert_status 10
    assert_equal "$(databases)" "$TEST_DATABASE"
    run_pgmigrate restore latest --swap -e production --confirm "$TEST_DATABASE"
    assert_status 0
    assert_equal "$(databases)" "$TEST_DATABASE ${TEST_DATABASE}_before_restore_TIME"
}

@test "a database that is gone comes back" {
    create_table notes 10
    take_backup
    psql_server "drop database $TEST_DATABASE with (force)"
    run_pgmigrate restore latest --swap --yes --json
    assert_status 0
    assert_equal "$(json .previous_database)" null
    assert_value "select count(*) from notes" 10
    assert_equal "$(databases)" "$TEST_DATABASE"
}

@test "where sessions may not be ended, everything is as before" {
    psql_server "create role ${TEST_DATABASE}_owner login createdb"
    create_table notes 10
    take_backup
    psql_server "alter database $TEST_DATABASE owner to ${TEST_DATABASE}_owner"
    psql -Xq -d "$DATABASE_URL" -c "select pg_sleep(600)" >/dev/null 2>&1 3>&- &
    CLIENT=$!
    wait_until psql_true "select count(*) = 1 from pg_stat_activity where datname = '$TEST_DATABASE' and query like '%sleep(600)%' and pid <> pg_backend_pid()"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "${TEST_DATABASE}_owner") \
        run_pgmigrate restore latest --to "${TEST_DATABASE}_new" --swap --yes --no-owner --no-privileges --json
    [ "$status" -ne 0 ]
    [[ $(json .error.hint) == *"is as it was"* ]]
    assert_equal "$(databases)" "$TEST_DATABASE ${TEST_DATABASE}_new"
    psql_true "select count(*) = 1 from pg_stat_activity where datname = '$TEST_DATABASE' and query like '%sleep(600)%' and pid <> pg_backend_pid()"
}

@test "killed in the middle of a swap, it is done by the next attempt" {
    create_table notes 10
    take_backup
    psql_value "delete from notes"
    kill_pgmigrate_at swap-closed restore latest --to "${TEST_DATABASE}_new" --swap --yes
    assert_equal "$(databases)" ""
    run_pgmigrate doctor -d "$(database_url postgres)"
    assert_output "database \"${TEST_DATABASE}_new\" was left by a restore of $(basename "$ARCHIVE" .tar) that did not end"
    assert_output "--to \"${TEST_DATABASE}_new\" --resume, with the options that it had, --swap among them"
    run_pgmigrate restore latest --to "${TEST_DATABASE}_new" --swap --resume --yes
    assert_status 0
    assert_value "select count(*) from notes" 10
    assert_value "select current_setting('pgmigrate.restored', true)" ""
    assert_equal "$(databases)" "$TEST_DATABASE ${TEST_DATABASE}_before_restore_TIME"
}

@test "what a killed restore left under a name that it made up is named by doctor" {
    create_table notes 10
    take_backup
    kill_pgmigrate_at restore-data restore latest --swap --yes
    left=$(psql_server "select datname from pg_database where datname like '${TEST_DATABASE}_restore%'")
    wait_until psql_true "select not exists (select from pg_stat_activity where datname = '$left')"
    run_pgmigrate doctor
    assert_status 3
    assert_output "database \"$left\" was left by a restore of $(basename "$ARCHIVE" .tar) that did not end"
    assert_output "DROP DATABASE \"$left\""
    run_pgmigrate restore latest --to "$left" --resume --yes
    assert_status 0
    run_pgmigrate doctor
    refute_output "$left"
}

# The tests' server takes no prepared transactions.
@test "prepared transactions are in the way before the restore, and after it the command that goes on is told" {
    start_own_cluster
    psql_value "alter system set max_prepared_transactions to 2"
    pgmigrate cluster stop --folder "$TEST_OWN_CLUSTER" >/dev/null
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
    psql_value "create database shop"
    DATABASE_URL=${DATABASE_URL/\/postgres\?//shop?}
    create_table notes 10
    take_backup
    psql_value "begin; insert into notes values (1, 'x'); prepare transaction 'early'"
    run_pgmigrate restore latest --to new --swap --dry-run
    assert_status 10
    assert_stderr 'in the way: database "shop" has prepared transactions'
    run_pgmigrate restore latest --to new --swap --yes
    assert_status 10
    assert_equal "$(psql_value "select count(*) from pg_database where datname = 'new'")" 0
    psql_value "rollback prepared 'early'"
    PGMIGRATE_TEST_PAUSE=restore-objects "$TEST_BUILD/points/pgmigrate" restore latest --to new --swap --yes --json \
        </dev/null >background.out 2>background.err 3>&- &
    PGMIGRATE_PID=$!
    wait_until is_stopped
    psql_value "begin; insert into notes values (1, 'x'); prepare transaction 'late'"
    continue_backup
    wait_pgmigrate
    assert_status 7
    [[ $(json .error.hint) == *'"new" is restored and stays'*'--to new --resume --swap'* ]]
    psql_value "rollback prepared 'late'"
    run_pgmigrate restore latest --to new --resume --swap --yes
    assert_status 0
}

@test "what does not follow the name is told" {
    create_table notes 10
    take_backup
    psql_server "alter database $TEST_DATABASE set work_mem to '9MB'"
    run_pgmigrate restore latest --swap --yes --json
    assert_status 0
    [[ $(json '.notes | join(" ")') == *'work_mem=9MB'* ]]
}

@test "another database's backup takes a place only where the name is confirmed" {
    other=${TEST_DATABASE}_other
    psql_server "create database $other"
    create_table notes 10
    take_backup
    id=$(json .id)
    DATABASE_URL=$(database_url "$other") run_pgmigrate restore "$id" --swap --yes
    assert_status 10
    assert_stderr "the backup is of database \"$TEST_DATABASE\": putting it in the place of \"$other\" wants --confirm $other"
    DATABASE_URL=$(database_url "$other") run_pgmigrate restore "$id" --swap --confirm "$other"
    assert_status 0
    for database in $(psql_server "select datname from pg_database where datname like '$other%'"); do
        psql_server "drop database \"$database\""
    done
}

@test "a version that no backup knows does not swap the newest one in" {
    create_table notes 10
    take_backup
    run_pgmigrate restore --before 042_typo --swap --yes
    assert_status 9
    assert_stderr 'no backup holds migration "042_typo"'
}

@test "what was taken after the migration was applied is not swapped in as from before it" {
    migration 001_first <<<"create table a (id int);"
    PGMIGRATE_HISTORY_TABLE=elsewhere.history take_backup
    early=$(json .id)
    run_pgmigrate restore --before 001 --swap --yes --dry-run
    assert_status 9
    run_pgmigrate apply
    run_pgmigrate restore --before 001 --swap --yes --dry-run
    assert_status 0
    assert_stderr "$early"
    PGMIGRATE_HISTORY_TABLE=elsewhere.history take_backup
    late=$(json .id)
    run_pgmigrate restore --before 001 --swap --yes
    assert_status 9
    assert_stderr "backup $late was taken ("
    assert_stderr 'after migration "001" was applied ('
    run_pgmigrate restore --before 001 --to "${TEST_DATABASE}_r" --dry-run
    assert_status 0
    assert_stderr "backup $late was taken ("
}

@test "a role that owns the database, but is no superuser, swaps at the second attempt, too" {
    maker=${TEST_DATABASE}_maker
    psql_server "create role $maker login createdb"
    psql_server "alter database \"$TEST_DATABASE\" owner to $maker"
    psql_value "create table notes (id int); alter table notes owner to $maker"
    # Before PostgreSQL 15 whoever owns a new database does not own its schema public.
    [ "$(server_major)" -lt 15 ] || psql_value "alter schema public owner to $maker"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$maker") take_backup
    psql_value "select pg_sleep(30)" &
    sleeper=$!
    wait_until eval "[ \"\$(psql_server \"select count(*) from pg_stat_activity where datname = '$TEST_DATABASE' and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()\")\" -ge 1 ]"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$maker") run_pgmigrate restore latest --swap --to "${TEST_DATABASE}_new" --yes
    assert_status 1
    assert_stderr "--to ${TEST_DATABASE}_new --resume --swap"
    psql_server "select pg_terminate_backend(pid) from pg_stat_activity where datname = '$TEST_DATABASE'" >/dev/null
    wait "$sleeper" || true
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$maker") \
        run_pgmigrate restore latest --to "${TEST_DATABASE}_new" --resume --swap --yes
    assert_status 0
    assert_value "select count(*) from pg_namespace where nspname = 'pgmigrate_restore'" 0
    for database in $(psql_server "select datname from pg_database where datname like '$TEST_DATABASE%'"); do
        psql_server "drop database \"$database\" with (force)"
    done
    psql_server "drop role $maker"
}
