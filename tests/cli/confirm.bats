# SPDX-License-Identifier: PostgreSQL
# What a protected environment asks before it is changed.

load helpers

setup()
{
    test_setup
    printf '[environment production]\nprotected = yes\nrehearsal_max_age =\n' >pgmigrate.conf
    migration 001_a <<<'CREATE TABLE a (x int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
}

# At a terminal, with what a person types.
at_terminal() # ANSWER COMMAND
{
    status=0
    output=$(printf '%s\n' "$1" | script -qec "$2" /dev/null) || status=$?
}

@test "a protected environment is not changed by a script that does not say --yes" {
    run_pgmigrate apply -e production
    assert_status 10
    assert_stderr "environment \"production\" is protected, and nobody confirmed to apply 1 migration to"
    assert_stderr "--yes"
    assert_value "select to_regclass('a') is null and to_regclass('schema_migrations') is null" t
    run_pgmigrate baseline 1 -e production
    assert_status 10
    run_pgmigrate apply -e production --yes
    assert_status 0
    for command in "rollback" "rollback --to 1" "repair 1 --mark-rolled-back --reason r"; do
        # shellcheck disable=SC2086 # words
        run_pgmigrate $command -e production
        assert_status 10
        assert_stderr "nobody confirmed"
    done
    assert_value "select count(*) from schema_migrations" 1
    run_pgmigrate rollback -e production -y
    assert_status 0
}

@test "what changes nothing needs no confirmation" {
    run_pgmigrate apply -e production --dry-run
    assert_status 0
    run_pgmigrate baseline 1 -e production --dry-run
    assert_status 0
    run_pgmigrate rollback -e production
    assert_status 0
    run_pgmigrate apply -e production --yes
    run_pgmigrate apply -e production
    assert_status 0
    assert_output "nothing to apply"
    run_pgmigrate rollback -e production --dry-run
    assert_status 0
    run_pgmigrate status -e production
    assert_status 0
}

@test "an unprotected environment asks nothing" {
    run_pgmigrate apply
    assert_status 0
}

@test "at a terminal only the whole word confirms" {
    at_terminal y "pgmigrate apply -e production"
    assert_equal "$status" 10
    assert_output "apply 1 migration to"
    assert_output "nobody confirmed"
    at_terminal "" "pgmigrate apply -e production"
    assert_equal "$status" 10
    assert_value "select to_regclass('a') is null" t
    at_terminal yes "pgmigrate apply -e production"
    assert_equal "$status" 0
    assert_output "1 of 1 applied"
}

@test "a conflict is told before anybody is asked" {
    run_pgmigrate apply --yes -e production
    migration 001_a <<<'CREATE TABLE a (y int);'
    run_pgmigrate apply -e production
    assert_status 6
}
