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
