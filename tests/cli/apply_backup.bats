# SPDX-License-Identifier: PostgreSQL
# apply --backup, and "backup = before-migrate".

load helpers
load backup

setup()
{
    backup_setup
    create_table notes 100
    migration 001_one <<<'CREATE TABLE one (x int);'
    migration 002_two <<<'CREATE TABLE two (x int);'
}

@test "--backup takes and verifies a backup first, and its id stands in every row" {
    run_pgmigrate apply --backup --json
    assert_status 0
    assert_stderr "backed up"
    id=$(json .backup_id)
    assert_equal "$(jq -r '.command, (.verified_at != null), .last_migration' "backups/$id.json" | xargs)" \
        "apply --backup true null"
    assert_value "select string_agg(distinct backup_id, ',') from schema_migrations" "$id"
    assert_value "select string_agg(distinct backup_id, ',') from schema_migrations_log" "$id"
    run_pgmigrate status
    assert_output "$id"
    run_pgmigrate status --json
    assert_equal "$(json '.migrations[1].backup_id')" "$id"
    run_pgmigrate history
    assert_output "$id"
    run_pgmigrate history --json
    assert_equal "$(json '.entries[0].backup_id')" "$id"
}

@test "the configuration asks for it, too, and can be told not to" {
    printf '[environment production]\nbackup = before-migrate\n' >pgmigrate.conf
    PGMIGRATE_BACKUP=no run_pgmigrate apply -e production --to 1
    assert_status 0
    [ ! -e backups ]
    run_pgmigrate apply -e production
    assert_status 0
    set -- backups/*.json
    assert_equal "$#" 1
    assert_value "select backup_id is null from schema_migrations where version = '001_one'" t
    assert_equal "$(jq -r .last_migration "$1")" 001_one
}

@test "where nothing is pending, or nothing would stay, no backup is taken" {
    run_pgmigrate apply --backup --dry-run
    assert_status 0
    run_pgmigrate apply
    run_pgmigrate apply --backup
    assert_status 0
    [ ! -e backups ]
}

@test "a backup that fails stops apply before anything ran" {
    touch backups
    run_pgmigrate apply --backup
    assert_status 1
    assert_stderr "nothing was applied, because the backup failed"
    assert_value "select to_regclass('one') is null and to_regclass('schema_migrations') is null" t
    # It is found after the scripts: one that cannot be prepared needs no backup.
    rm backups
    migration 003_three <<<'CREATE TABLE three (x int'
    run_pgmigrate apply --backup
    [ "$status" -ne 0 ]
    set -- backups/*.json
    [ ! -e "$1" ] || assert_value "select to_regclass('three') is null" t
}

@test "prune keeps what the log points at, though the migration was rolled back" {
    migration 001_one_rollback <<<'DROP TABLE one;'
    run_pgmigrate apply --backup --to 1 --json
    assert_status 0
    id=$(json .backup_id)
    run_pgmigrate rollback -y --accept-data-loss
    assert_status 0
    take_backup
    run_pgmigrate backup prune --keep-last 1 --json
    assert_status 0
    assert_equal "$(json ".backups[] | select(.id == \"$id\").reason")" "the history points at it"
}

@test "prune keeps what apply took of a database of that name on another server" {
    ours=$DATABASE_URL
    take_backup
    start_own_cluster
    psql_value "create database $TEST_DATABASE"
    DATABASE_URL=${DATABASE_URL/\/postgres\?//$TEST_DATABASE?}
    run_pgmigrate apply --backup --json
    assert_status 0
    id=$(json .backup_id)
    take_backup
    export DATABASE_URL=$ours
    run_pgmigrate backup prune --keep-last 1 --json
    assert_status 0
    assert_equal "$(json ".backups[] | select(.id == \"$id\").reason")" "made by apply, and its history was not asked"
    run_pgmigrate backup prune --keep-last 1 --drop-referenced --json
    assert_equal "$(json ".backups[] | select(.id == \"$id\").keep")" false
}

@test "doctor does not count backups of a database of that name on another server" {
    ours=$DATABASE_URL
    start_own_cluster
    psql_value "create database $TEST_DATABASE"
    DATABASE_URL=${DATABASE_URL/\/postgres\?//$TEST_DATABASE?} take_backup
    DATABASE_URL=$ours run_pgmigrate doctor --max-age 1h
    assert_status 3
    assert_output "there is none of database \"$TEST_DATABASE\" of this server in"
    DATABASE_URL=$ours take_backup
    DATABASE_URL=$ours run_pgmigrate doctor --max-age 1h
    assert_output "the newest is"
    refute_output "there is none"
}

@test "the hint of a backup that may not read all tells whose rights count" {
    local role=${TEST_DATABASE}_maker
    psql_server "create role $role login; create role ${role}_owner; grant ${role}_owner to $role;
        alter database $TEST_DATABASE owner to ${role}_owner"
    psql_value "alter schema public owner to ${role}_owner; create table secret (id int)"
    migration 009_a <<<'CREATE TABLE a (id int);'
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate apply --backup --role "${role}_owner"
    assert_status 10
    assert_stderr "as the role that connects, not as \"${role}_owner\", which migrations run as"
    drop_test_database
    psql_server "drop role ${role}_owner, $role"
}
