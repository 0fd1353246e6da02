# SPDX-License-Identifier: PostgreSQL
# Where rehearsals run: copies, backups, throwaway clusters, the staging database; what they refuse, and what they leave.

load helpers

shop()
{
    migration 001_shop <<'SQL'
CREATE TABLE orders (id int PRIMARY KEY, at timestamp);
INSERT INTO orders SELECT i, now() FROM generate_series(1, 500) AS i;
SQL
    migration 001_shop_rollback <<<'DROP TABLE orders;'
    run_pgmigrate apply
    assert_status 0
    migration 002_zone <<<'ALTER TABLE orders ALTER COLUMN at TYPE timestamptz;'
    migration 002_zone_rollback <<<'ALTER TABLE orders ALTER COLUMN at TYPE timestamp;'
}

# A server of its own, on which no other test rehearses.
own_staging()
{
    start_own_cluster
    psql -Xq -d "$DATABASE_URL" -c "create database staging"
    DATABASE_URL=$(printf '%s\n' "$DATABASE_URL" | sed 's,/postgres?,/staging?,')
    shop
}

scratch_databases()
{
    psql_value "select datname from pg_database where datname ~ '^pgmigrate_rehearsal_' order by 1"
}

class()
{
    json '.migrations[0].statements[0].class'
}

@test "a copy has the settings of the database, and those of the target where one is given" {
    shop
    psql_value "alter database $TEST_DATABASE set timezone = 'UTC'"
    run_pgmigrate rehearse --json
    assert_status 0
    assert_equal "$(class)" metadata
    psql_value "alter database $TEST_DATABASE set timezone = 'Europe/Vienna'"
    run_pgmigrate rehearse --json
    assert_equal "$(class)" rewrite
    url=$DATABASE_URL
    [[ $url == *\?* ]] && url="$url&options=-c%20timezone%3DUTC"
    run_pgmigrate rehearse --against "$url" --json
    assert_status 0
    assert_equal "$(class)" metadata
    assert_equal "$(json '.differing_settings[]')" "TimeZone is Europe/Vienna here and UTC at the target"
}

@test "a protected environment is refused by whatever name its database is given" {
    shop
    cat >pgmigrate.conf <<CONF
[environment production]
database = $DATABASE_URL
protected = yes
[environment far]
database = host=/nowhere dbname=far
protected = yes
[environment staging]
database = $(database_url postgres)
CONF
    before=$(pg_dump --restrict-key=x "$DATABASE_URL")
    for options in "" "--in-place" "--on production"; do
        # shellcheck disable=SC2086 # words
        run_pgmigrate rehearse $options
        assert_status 10
        assert_stderr 'is that of environment "production", which is protected'
    done
    run_pgmigrate rehearse -e production
    assert_status 10
    assert_stderr 'environment "production" is protected'
    assert_stderr "--embedded --from-backup latest"
    assert_equal "$(pg_dump --restrict-key=x "$DATABASE_URL")" "$before"
    # An environment that cannot be asked is told; the sizes of a protected one may be read.
    sed -i '/^\[environment production/,/^protected/ s/yes/no/' pgmigrate.conf
    run_pgmigrate rehearse --against production --json
    assert_status 0
    assert_stderr 'environment "far" is protected and could not be asked'
}

@test "--keep keeps the copy; what a killed rehearsal left goes with the next, and nothing else" {
    own_staging
    run_pgmigrate rehearse --keep
    assert_status 0
    kept=$(scratch_databases)
    assert_stderr "the scratch database \"$kept\" was kept"
    kill_pgmigrate_at scratch-copied rehearse
    left=$(scratch_databases | grep -v "$kept")
    [ -n "$left" ]
    psql_value "create database pgmigrate_rehearsal_mine"
    run_pgmigrate rehearse --json
    assert_status 0
    assert_equal "$(scratch_databases | xargs)" "$(printf '%s\n' "$kept" pgmigrate_rehearsal_mine | sort | xargs)"
}

@test "a database that others use is copied through a backup, or rehearsed in one" {
    shop
    run_pgmigrate backup create --json
    assert_status 0
    id=$(json .id)
    hold app "select 1"
    mkdir temporary
    TMPDIR=$PWD/temporary run_pgmigrate rehearse --json
    assert_status 0
    assert_stderr "is in use"
    assert_stderr "hold_app"
    assert_stderr "it was copied through a backup"
    assert_equal "$(json '.place, .migrations[0].rollback' | xargs)" "scratch exact"
    assert_equal "$(json '.migrations[0].version')" "002_zone"
    assert_equal "$(ls temporary)" ""
    run_pgmigrate rehearse --from-backup latest --json
    assert_status 0
    assert_equal "$(json '.place, .backup_id, .migrations[0].rollback' | xargs)" "backup $id exact"
    release app
    assert_value "select count(*) from schema_migrations" 1
}

@test "in a throwaway cluster: from nothing, from where the target is, from a backup; with facts from a file" {
    shop
    run_pgmigrate rehearse --embedded --json
    assert_status 0
    assert_equal "$(json '[.migrations[].version] | join(" ")')" "001_shop 002_zone"
    run_pgmigrate rehearse --embedded --against "$DATABASE_URL" --json
    assert_status 0
    assert_equal "$(json '[.place, .migrations[].version] | join(" ")')" "embedded 002_zone"
    mv migrations/001_shop_rollback.sql . # what the target has needs none
    run_pgmigrate rehearse --embedded --against "$DATABASE_URL" --rollback-required yes
    assert_status 0
    mv 001_shop_rollback.sql migrations
    run_pgmigrate rehearse --export-facts facts.json --against "$DATABASE_URL"
    assert_status 0
    run_pgmigrate backup create
    run_pgmigrate rehearse --embedded --from-backup latest --facts facts.json --json
    assert_status 0
    assert_equal "$(json '.place, .migrations[0].rollback' | xargs)" "embedded exact"
    assert_equal "$(json '.migrations[0].estimate.basis == null')" false
}

@test "--in-place leaves the staging database migrated" {
    shop
    run_pgmigrate rehearse --in-place --json
    assert_status 0
    assert_equal "$(json .place)" in_place
    assert_value "select string_agg(version, ' ' order by version) from schema_migrations" "001_shop 002_zone"
}

@test "options that exclude each other are refused" {
    for options in "--in-place --keep" "--on x --embedded" "--embedded --keep" "--export-facts x"; do
        # shellcheck disable=SC2086 # words
        run_pgmigrate rehearse $options
        assert_status 2
    done
}

@test "a staging server that goes away ends the rehearsal, and the next one clears up" {
    own_staging
    migration 003_slow <<<'SELECT pg_sleep(30);'
    start_pgmigrate rehearse --round-trip none
    wait_until psql_true "select exists (select from pg_stat_activity where query ~ '^SELECT pg_sleep'
        and datname ~ '^pgmigrate_rehearsal_')"
    kill -KILL "$(head -1 "$(readlink -f "$TEST_OWN_CLUSTER/server")/data/postmaster.pid")"
    wait_pgmigrate
    assert_status 4
    pgmigrate cluster start --folder "$TEST_OWN_CLUSTER" >/dev/null
    [ -n "$(scratch_databases)" ]
    rm migrations/003_slow.sql
    run_pgmigrate rehearse --json
    assert_status 0
    assert_equal "$(scratch_databases)" ""
    assert_value "select count(*) from orders" 500
}

@test "SIGTERM in the middle drops the copy and says what was asked" {
    own_staging
    migration 003_slow <<<'SELECT pg_sleep(60);'
    start_pgmigrate rehearse --round-trip none
    wait_until psql_true "select exists (select from pg_stat_activity where query ~ '^SELECT pg_sleep'
        and datname ~ '^pgmigrate_rehearsal_')"
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
    assert_equal "$(scratch_databases)" ""
    assert_value "select string_agg(version, ' ') from schema_migrations" 001_shop
}

@test "in place, a rollback that fails is a finding, and the database stays migrated" {
    shop
    migration 002_zone_rollback <<<$'ALTER TABLE orders ALTER COLUMN at TYPE timestamp;\nSELECT 1 / 0;'
    run_pgmigrate rehearse --in-place --json
    assert_status 3
    assert_equal "$(json '.migrations[0] | "\(.rollback) \(.error.file):\(.error.line) \(.error.sqlstate)"')" \
        "fails migrations/002_zone_rollback.sql:2 22012"
    assert_value "select string_agg(version, ' ' order by version) from schema_migrations" "001_shop 002_zone"
    assert_value "select atttypid::regtype from pg_attribute where attrelid = 'orders'::regclass and attname = 'at'" \
        "timestamp with time zone"
}

@test "latest is the newest backup of the database, and is asked for by id where that is not known" {
    shop
    psql_value "create table owned (tenant_id int not null)"
    run_pgmigrate backup create --json
    own=$(json .id)
    other=${TEST_DATABASE}_other
    psql_server "create database $other"
    run_pgmigrate backup create -d "$(database_url "$other")"
    assert_status 0
    run_pgmigrate rehearse --from-backup latest --json
    assert_status 0
    assert_equal "$(json .backup_id)" "$own"
    run_pgmigrate rehearse --embedded --from-backup latest
    assert_status 2
    assert_stderr "could be of several databases"
    assert_stderr "$other"
    run_pgmigrate rls --from-backup latest --json
    assert_equal "$(json '.findings[] | select(.check == "S1") | .object')" public.owned
    psql_server "drop database $other"
}

@test "sessions that the role may not look into are there all the same" {
    local role=${TEST_DATABASE}_r facts
    psql_value "create role $role login createdb; alter database $TEST_DATABASE owner to $role"
    migration 001_a <<<'SELECT 1;'
    hold other "select 1"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role") run_pgmigrate rehearse --export-facts facts.json \
        --against "$(database_url "$TEST_DATABASE" "$role")"
    facts=$status:$(jq .oldest_transaction_ms facts.json)
    run_pgmigrate rehearse --on "$(database_url "$TEST_DATABASE" "$role")"
    release other
    psql_value "alter database $TEST_DATABASE owner to postgres; drop role $role"
    assert_equal "$facts" 0:-1
    assert_stderr "is in use (pid "
    assert_stderr "(hold_other, user postgres)"
}
