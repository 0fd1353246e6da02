# SPDX-License-Identifier: PostgreSQL

load helpers

# The state of one check, from the last --json document.
check()
{
    json ".checks[] | select(.check == \"$1\") | .state"
}

setup()
{
    test_setup
    printf 'CREATE TABLE a (id int);\n' | migration 001_a
    printf 'DROP TABLE a;\n' | migration 001_a_rollback
}

@test "doctor finds nothing where nothing is wrong, and changes nothing" {
    run_pgmigrate doctor --json
    # The tests' machine may lack client programs or have older ones than the server.
    assert_equal "$(json '[.checks[] | select(.check != "psql" and .check != "pg_dump") | .state] | unique | join(" ")')" ok
    for name in configuration folder server encoding history permissions "run lock" migrations; do
        assert_equal "$(check "$name")" ok
    done
    assert_value "select count(*) from pg_class where relnamespace = 'public'::regnamespace" 0
    run_pgmigrate doctor
    assert_output "ok      server"
}

@test "doctor tells a wrong configuration, and where" {
    printf '[migrations]\nlock_timout = 2s\n' >pgmigrate.conf
    run_pgmigrate doctor --json
    assert_status 3
    assert_equal "$(check configuration)" error
    assert_equal "$(json .error.message)" "a check found something"
    assert_equal "$(json .checks[0].message)" 'pgmigrate.conf:2: unknown key "lock_timout"'
    assert_equal "$(json '.checks[0].hint | contains("lock_timeout")')" true
}

@test "doctor tells which file is wrong" {
    migration 009_alone <<<'SELECT 1;'
    run_pgmigrate doctor --protected --json
    assert_status 3
    assert_equal "$(json '.checks[] | select(.check == "migrations").message')" \
        "migrations/009_alone.sql: the migration has no rollback script"
    migration 009_alone <<<$'-- pgmigrate: nonsense\nSELECT 1;'
    run_pgmigrate doctor --protected --json
    assert_status 3
    [[ $(json '.checks[] | select(.check == "folder").message') == "migrations/009_alone.sql:1: "* ]]
}

@test "doctor tells a server that cannot be reached" {
    run_pgmigrate doctor -d "postgresql://u:geheim123@127.0.0.1:1/x" --json
    assert_status 3
    assert_equal "$(check connection)" error
    refute_output geheim123
}

@test "doctor tells missing permissions with the GRANT" {
    psql_value "create role powerless_$TEST_DATABASE login; revoke create on schema public from public"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "powerless_$TEST_DATABASE") run_pgmigrate doctor --json
    psql_value "drop role powerless_$TEST_DATABASE"
    assert_status 3
    assert_equal "$(check permissions)" error
    assert_equal "$(json '.checks[] | select(.check == "permissions").hint | startswith("GRANT USAGE, CREATE ON SCHEMA \"public\"")')" true
}

@test "doctor tells a role that is not there or may not be taken" {
    run_pgmigrate doctor --role nobody_there --json
    assert_status 3
    assert_equal "$(check role)" error
    run_pgmigrate doctor --role pg_monitor --json
    assert_equal "$(check role)" ok
    local login=${TEST_DATABASE}_login odd="${TEST_DATABASE} \"odd\""
    psql_server "create role $login login; create role \"${odd//\"/\"\"}\""
    local checks=() again
    for again in 1 2; do
        DATABASE_URL=$(database_url "$TEST_DATABASE" "$login") run_pgmigrate doctor --role "$odd" --json
        checks+=("$(check role)")
        [ "$again" = 2 ] || psql_server "$(json '.checks[] | select(.check == "role").hint')"
    done
    psql_server "drop role $login; drop role \"${odd//\"/\"\"}\""
    assert_equal "${checks[*]}" "error ok"
}

@test "doctor tells a read-only server and a pooler" {
    psql_value "alter database $TEST_DATABASE set default_transaction_read_only = on"
    run_pgmigrate doctor --json
    assert_status 3
    assert_equal "$(check server)" error
    psql_server "alter database $TEST_DATABASE reset default_transaction_read_only"
    start_pgbouncer transaction
    run_pgmigrate doctor --json
    assert_status 3
    assert_equal "$(check server)" error
}

@test "doctor tells who holds the run lock" {
    echo 'SELECT pg_sleep(20);' | migration 002_slow
    start_pgmigrate apply
    wait_until sleeping
    run_pgmigrate doctor --json
    kill "$PGMIGRATE_PID"
    wait "$PGMIGRATE_PID" || true
    assert_status 3
    assert_equal "$(check "run lock")" warning
}

@test "doctor tells changed migrations and other tools' histories" {
    run_pgmigrate apply
    echo 'CREATE TABLE a (id bigint);' | migration 001_a
    run_pgmigrate doctor --json
    assert_status 3
    assert_equal "$(check migrations)" error
    psql_value "create table golang (version bigint not null primary key, dirty boolean not null)"
    run_pgmigrate doctor --history-table golang --json
    assert_status 3
    assert_equal "$(check history)" error
}

@test "doctor tells invalid indexes" {
    psql_value "create table t as select 1 as id union all select 1"
    run psql -Xq -d "$DATABASE_URL" -c "create unique index concurrently broken on t (id)"
    run_pgmigrate doctor --json
    assert_status 3
    assert_equal "$(check indexes)" warning
    assert_output "broken"
}

@test "doctor tells timeouts that the role or the database has" {
    psql_value "alter database $TEST_DATABASE set statement_timeout = '7min'"
    run_pgmigrate doctor
    assert_output "statement_timeout = 7min (database)"
}

@test "doctor tells changes in the folder that are not committed" {
    git init -q .
    git add migrations
    git -c user.name=t -c user.email=t@localhost commit -qm first
    run_pgmigrate doctor --json
    assert_equal "$(check "work tree")" ok
    echo 'SELECT 1;' >>migrations/001_a.sql
    run_pgmigrate doctor --json
    assert_status 3
    assert_equal "$(check "work tree")" warning
}

@test "doctor tells a database that is not UTF8" {
    psql_server "create database ${TEST_DATABASE}_ascii encoding 'SQL_ASCII' locale 'C' template template0"
    run_pgmigrate doctor --json -d "$(database_url "${TEST_DATABASE}_ascii")"
    psql_server "drop database ${TEST_DATABASE}_ascii"
    assert_status 3
    assert_equal "$(check encoding)" warning
}

@test "doctor tells the age of the newest backup, and that none was restored, where an age is set" {
    export PGMIGRATE_REPOSITORY=$PWD/backups
    run_pgmigrate doctor --json
    assert_equal "$(check backup)" ""
    run_pgmigrate doctor --max-age 26h --json
    assert_status 3
    assert_equal "$(check backup)" error
    assert_output "there is none of database"
    run_pgmigrate backup create --json
    assert_status 0
    run_pgmigrate doctor --max-age 26h --json
    assert_status 3
    assert_equal "$(check backup) $(check "restore test")" "ok warning"
    run_pgmigrate doctor --max-age 0s --json
    assert_status 3
    assert_equal "$(check backup)" error
    assert_output "the newest good one"
    run_pgmigrate doctor --json
    assert_equal "$(check backup)" ok
}

@test "a table that was there first, and is another's, cannot be adopted" {
    local role=${TEST_DATABASE}_dml
    psql_value "create table schema_migrations (version varchar(50) primary key, applied_at timestamptz);
        insert into schema_migrations values ('001', now());
        create role $role login; grant all on schema_migrations to $role; grant all on schema public to $role"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate doctor
    assert_status 3
    assert_output "\"$role\" may not add the columns that the history table lacks"
    psql_value "alter table schema_migrations owner to $role"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate doctor --json
    assert_equal "$(check permissions)" ok
    drop_test_database
    psql_server "drop role $role"
}

@test "doctor does not say of transactions that it cannot see that there are none" {
    local role=${TEST_DATABASE}_r blind
    psql_value "create role $role login; grant create on schema public to $role"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate doctor --json
    blind=$(check transactions)
    hold other "select 1"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate doctor --json
    blind+=" $(check transactions)"
    psql_value "grant pg_read_all_stats to $role"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate doctor --json
    blind+=" $(check transactions)"
    release other
    psql_value "drop owned by $role; drop role $role"
    assert_equal "$blind" "ok warning ok"
}

@test "doctor tells what the role lacks that migrations run as, and no more than apply needs" {
    local login=${TEST_DATABASE}_login owner=${TEST_DATABASE}_owner found
    run_pgmigrate apply
    psql_value "create role $owner; create role $login login in role $owner;
        grant select on schema_migrations, schema_migrations_log to $owner"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$login") run_pgmigrate doctor --role "$owner" --json
    found=$(check permissions)
    psql_value "$(json '.checks[] | select(.check == "permissions").hint')"
    echo 'SELECT 1;' | migration 002_b
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$login") run_pgmigrate doctor --role "$owner" --json
    found+=" $(check permissions)"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$login") run_pgmigrate apply --role "$owner"
    psql_value "drop owned by $owner; drop role $login, $owner"
    assert_equal "$found" "error ok"
    assert_status 0
}

@test "doctor does not take the index that another user is building for a broken one" {
    local role=${TEST_DATABASE}_r
    psql_value "create role $role login; grant create on schema public to $role;
        create table t (id int)"
    hold writer "insert into t values (0)"
    psql -Xq -d "$DATABASE_URL" -c "create index concurrently i on t (id)" 3>&- &
    wait_until building_index
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate doctor --json
    release writer
    wait $!
    psql_value "drop owned by $role; drop role $role"
    assert_equal "$(check indexes)" ok
}
