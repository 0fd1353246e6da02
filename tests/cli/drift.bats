# SPDX-License-Identifier: PostgreSQL
#
# Folder and history disagree.

load helpers

setup()
{
    test_setup
    echo 'CREATE TABLE users (id int);' | migration 001_users
    echo 'DROP TABLE users;' | migration 001_users_rollback
    echo 'CREATE TABLE orders (id int);' | migration 002_orders
    pgmigrate apply 2>/dev/null >/dev/null
}

@test "an edited file stops apply with exit 6 and a unified diff" {
    printf 'CREATE TABLE users (\n    id bigint\n);\n' | migration 001_users
    echo 'CREATE TABLE more ();' | migration 003_more
    run_pgmigrate apply
    assert_status 6
    assert_stderr 'migrations/001_users.sql'
    assert_stderr '"001_users" was changed after it was applied'
    assert_stderr '--- what ran, '
    assert_stderr '-CREATE TABLE users (id int);'
    assert_stderr '+    id bigint'
    assert_stderr 'pgmigrate repair 001_users --accept-checksum --reason'
    assert_value "SELECT to_regclass('more') IS NULL" t
}

@test "comments, white space and line ends are no reason to stop" {
    printf -- '-- users of the shop\r\nCREATE TABLE users\r\n(id int);\r\n' | migration 001_users
    echo 'CREATE TABLE more ();' | migration 003_more
    run_pgmigrate status
    assert_status 0
    assert_stderr 'comments or white space were changed after it was applied'
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT to_regclass('more') IS NOT NULL" t
}

@test "an apply with nothing to do mentions changed comments, too" {
    printf -- '-- users of the shop\nCREATE TABLE users (id int);\n' | migration 001_users
    run_pgmigrate apply
    assert_status 0
    assert_stderr 'migrations/001_users.sql: warning: comments or white space were changed after it was applied'
    run_pgmigrate apply --json
    assert_equal "$(json '.warnings[] | select(.rule == "comments-changed") | .severity, .file' | xargs)" \
        "warning migrations/001_users.sql"
}

@test "directives and letter case are neither comments nor white space" {
    for change in '-- pgmigrate: role=somebody\nCREATE TABLE users (id int);' 'create table users (id int);'; do
        printf -- "$change\n" | migration 001_users
        for command in status apply; do
            run_pgmigrate $command
            assert_stderr 'was changed after it was applied'
        done
        assert_status 6
    done
}

@test "line ends alone are not even mentioned" {
    printf 'CREATE TABLE users (id int);\r\n' | migration 001_users
    run_pgmigrate status
    assert_status 0
    refute_stderr '001_users'
}

@test "a changed string is a change, whatever it looks like" {
    echo "INSERT INTO users SELECT length('a  b');" | migration 003_seed
    pgmigrate apply
    echo "INSERT INTO users SELECT length('a b');" | migration 003_seed
    run_pgmigrate apply
    assert_status 6
}

@test "accepting the checksum ends the conflict, with the reason in the log" {
    echo 'CREATE TABLE users (id bigint);' | migration 001_users
    run_pgmigrate repair 001_users --accept-checksum --reason "widened by hand"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT reason FROM schema_migrations_log WHERE action = 'accept_checksum'" "widened by hand"
    assert_value "SELECT forward_text FROM schema_migrations WHERE version = '001_users'" "CREATE TABLE users (id bigint);"
}

@test "a missing file stops apply, until that is accepted" {
    rm migrations/001_users*.sql
    run_pgmigrate apply
    assert_status 6
    assert_stderr '"001_users" was applied'
    assert_stderr 'has no file in the folder'
    assert_stderr 'take the migration back ("pgmigrate rollback" has its script)'
    run_pgmigrate repair 001_users --accept-missing --reason "squashed"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate status
    assert_status 0
}

@test "a renamed file is recognised, and repair takes over its name" {
    mv migrations/002_orders.sql migrations/002_create_orders.sql
    run_pgmigrate apply
    assert_status 6
    assert_stderr '"002_create_orders" was called "002_orders" when it was applied'
    run_pgmigrate repair 002_create_orders --accept-checksum --reason "a better name"
    assert_status 0
    assert_value "SELECT string_agg(version, ',' ORDER BY version) FROM schema_migrations" "001_users,002_create_orders"
    run_pgmigrate apply
    assert_status 0
}

@test "a renumbered file is recognised by its text" {
    mv migrations/002_orders.sql migrations/005_orders.sql
    run_pgmigrate apply
    assert_status 6
    assert_stderr '"005_orders" was called "002_orders" when it was applied'
    run_pgmigrate repair 005_orders --accept-checksum --reason "renumbered"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
}

@test "an older file is refused, and applied with --out-of-order" {
    echo 'CREATE TABLE late ();' | migration 001a_late
    run_pgmigrate apply
    assert_status 6
    assert_stderr '"001a_late" is older than "002_orders", which is applied already'
    run_pgmigrate apply --out-of-order
    assert_status 0
    assert_value "SELECT out_of_order FROM schema_migrations WHERE version = '001a_late'" t
    run_pgmigrate apply
    assert_status 0
}

@test "several disagreements are counted, and status lists them all" {
    echo 'CREATE TABLE users (id bigint);' | migration 001_users
    rm migrations/002_orders.sql
    run_pgmigrate apply
    assert_status 6
    assert_stderr '1 more migration disagrees with the history'
    run_pgmigrate status --json
    assert_equal "$(json '.counts.changed, .counts.missing' | paste -sd,)" "1,1"
}

@test "a changed rollback script is a warning" {
    echo 'DROP TABLE IF EXISTS users;' | migration 001_users_rollback
    run_pgmigrate status
    assert_status 0
    assert_stderr 'migrations/001_users_rollback.sql'
    assert_stderr 'was changed after "001_users" was applied'
}

@test "without diff installed the first difference is told" {
    printf 'CREATE TABLE users (id bigint);\n' | migration 001_users
    mkdir bin
    ln -s "$(command -v pgmigrate)" bin/pgmigrate
    run --separate-stderr env PATH="$PWD/bin" pgmigrate apply
    assert_status 6
    assert_stderr 'The first difference is in line 1:'
}

@test "what is required must be applied or come before" {
    printf -- '-- pgmigrate: requires=009_later\nCREATE TABLE more ();\n' | migration 003_more
    run_pgmigrate apply
    assert_status 6
    assert_stderr 'migrations/003_more.sql:1'
    assert_stderr '"003_more" requires "009_later", which is not applied'
    printf -- '-- pgmigrate: requires=2\nCREATE TABLE more ();\n' | migration 003_more
    run_pgmigrate apply
    assert_status 0
}

@test "--to a version that lies behind changes nothing and points to rollback" {
    run_pgmigrate apply --to 1
    assert_status 0
    assert_stderr 'pgmigrate rollback --to 001_users'
    assert_value "SELECT count(*) FROM schema_migrations" 2
}
