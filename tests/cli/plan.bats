# SPDX-License-Identifier: PostgreSQL

load helpers

@test "plan shows what apply would run, in order, and runs nothing" {
    printf 'CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n' | migration 009_a
    echo 'DROP TABLE a, b;' | migration 009_a_rollback
    printf -- '-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);\n' | migration 10_b
    run_pgmigrate plan
    assert_status 0
    [[ ${lines[1]} =~ ^009_a\ +pending\ +transaction\ +2\ +yes$ ]]
    [[ ${lines[2]} =~ ^10_b\ +pending\ +no\ transaction\ +1\ +no$ ]]
    assert_output "2 to apply, 0 applied on"
    assert_value "select count(*) from pg_class where relnamespace = 'public'::regnamespace" 0
    run_pgmigrate plan --json
    assert_equal "$(json '[.migrations[] | .version, .state, .transactional, .statements] | map(tostring) | join(" ")')" \
        "009_a pending true 2 10_b pending false 1"
    assert_equal "$(json .counts.pending)" 2
    assert_equal "$(json '.migrations[0] | has("applied_at")')" false
}

@test "plan --to ends at a version; an unknown one is an error" {
    for number in 1 2 3; do
        echo 'SELECT 1;' | migration "00${number}_x"
    done
    run_pgmigrate plan --to 2 --json
    assert_equal "$(json '[.migrations[].version] | join(" ")')" "001_x 002_x"
    run_pgmigrate plan --to 7
    assert_status 2
    assert_stderr '"7"'
}

@test "plan fails where apply would: changed files, with exit 6 and the difference" {
    echo 'CREATE TABLE a (id int);' | migration 001_a
    run_pgmigrate apply
    echo 'CREATE TABLE a (id bigint);' | migration 001_a
    run_pgmigrate plan
    assert_status 6
    assert_equal "$output" ""
    assert_stderr "migrations/001_a.sql: error:"
    assert_stderr "-CREATE TABLE a (id int);"
    assert_stderr "+CREATE TABLE a (id bigint);"
    assert_stderr "repair 001_a --accept-checksum"
    run_pgmigrate plan --json
    assert_status 6
    assert_equal "$(json '.error | [.code, .file] | join(" ")')" "conflict migrations/001_a.sql"
}

@test "plan refuses a file older than what is applied, without --out-of-order" {
    echo 'SELECT 2;' | migration 002_b
    run_pgmigrate apply
    echo 'SELECT 1;' | migration 001_a
    run_pgmigrate plan
    assert_status 6
    run_pgmigrate plan --out-of-order --json
    assert_status 0
    assert_equal "$(json '[.migrations[] | .version, .state] | join(" ")')" "001_a out_of_order"
}

@test "a required number that several migrations have is refused by plan, apply and check" {
    migration 001_a <<<'SELECT 1;'
    migration 001_b <<<'SELECT 2;'
    migration 002_c <<<'-- pgmigrate: requires=1'
    export PGMIGRATE_DUPLICATE_VERSIONS=allow
    for command in plan apply check; do
        run_pgmigrate "$command"
        [[ $output$stderr == *'requires "1": version "1" names several migrations'* ]]
        [[ $output$stderr == *'They are "001_a", "001_b".'* ]]
        [ "$command" = check ] || assert_status 2
    done
    migration 002_c <<<'-- pgmigrate: requires=001_b'
    run_pgmigrate plan
    assert_status 0
}

@test "plan checks the scripts as apply does, with file, line and column" {
    printf 'SELECT 1;\n  VACUUM;\n' | migration 001_a
    run_pgmigrate plan
    assert_status 2
    assert_stderr "migrations/001_a.sql:2:3: error:"
    assert_stderr "no-transaction"
    run_pgmigrate plan --json
    assert_equal "$(json '.error | [.file, .line, .column] | map(tostring) | join(" ")')" "migrations/001_a.sql 2 3"
}

@test "a character that the database cannot hold is refused by plan and apply, in comments, too" {
    local latin=${TEST_DATABASE}_latin
    psql_server "create database $latin encoding latin1 template template0 lc_collate 'C' lc_ctype 'C'"
    DATABASE_URL=$(database_url "$latin")
    migration 001_a <<<$'-- größer\nCREATE TABLE a (id int);'
    migration 002_b <<<$'CREATE TABLE b (id int);\n-- 5 €'
    migration 002_b_rollback <<<$'\nDROP TABLE b; -- €'
    for command in plan apply; do
        for place in 002_b.sql:2 002_b_rollback.sql:2; do
            run_pgmigrate "$command"
            assert_status 1
            assert_stderr "migrations/$place: error: character with byte sequence 0xe2 0x82 0xac"
            assert_stderr "The encoding of database \"$latin\" is LATIN1."
            sed -i 's/€/EUR/' "migrations/${place%:*}"
        done
        assert_value "select to_regclass('a') is null" t
        migration 002_b <<<$'CREATE TABLE b (id int);\n-- 5 €'
        migration 002_b_rollback <<<$'\nDROP TABLE b; -- €'
    done
    sed -i 's/€/EUR/' migrations/*
    run_pgmigrate apply
    psql_server "drop database $latin with (force)"
    assert_status 0
}

@test "plan shows notices about scripts" {
    printf 'BEGIN;\nSELECT 1;\nCOMMIT;\n' | migration 001_a
    run_pgmigrate plan
    assert_status 0
    assert_stderr "migrations/001_a.sql:1"
    assert_stderr "notice:"
    run_pgmigrate plan --json
    assert_equal "$(json '.notices | length > 0')" true
}

@test "plan wants the variables of scripts" {
    printf -- "-- pgmigrate: variables\nCREATE TABLE :\"name\" (id int);\n" | migration 001_a
    run_pgmigrate plan
    assert_status 2
    assert_stderr "name"
    run_pgmigrate plan --set name=x
    assert_status 0
    run_pgmigrate plan --set name
    assert_status 2
    assert_stderr "NAME=VALUE"
}

@test "a table that would stand unprotected between two migrations of the plan is told" {
    migration 001_table <<<'CREATE TABLE orders (tenant_id int); ALTER TABLE orders ENABLE ROW LEVEL SECURITY;'
    migration 002_off <<<'ALTER TABLE orders DISABLE ROW LEVEL SECURITY;'
    run_pgmigrate apply --to 1
    migration 003_on <<<'ALTER TABLE orders ENABLE ROW LEVEL SECURITY;'
    run_pgmigrate plan
    assert_status 0
    assert_stderr "migrations/002_off.sql:1:1: warning: row-level security of orders is missing until migrations/003_on.sql:1 brings it back"
    run_pgmigrate plan --json
    assert_equal "$(json '.notices[] | select(.rule == "rls-window") | .file')" migrations/002_off.sql
    # What is applied already has no say in it.
    run_pgmigrate apply --to 2
    run_pgmigrate plan
    refute_stderr "is missing until"
}
