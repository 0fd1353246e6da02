# SPDX-License-Identifier: PostgreSQL
#
# What plan, status and apply make of what was rehearsed: evidence.json is as "rehearse --evidence" writes it.

load helpers

setup()
{
    test_setup
    printf '[environment production]\nprotected = yes\n' >pgmigrate.conf
    migration 001_a <<<'CREATE TABLE a (x int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    migration 002_b <<<'CREATE TABLE b (x int);'
    migration 002_b_rollback <<<'DROP TABLE b;'
}

@test "plan and status tell when, where and how long, and what to expect" {
    run_pgmigrate plan
    assert_status 0
    refute_output rehears
    [ ! -e .pgmigrate ]
    write_evidence evidence.json 2 true r1
    run_pgmigrate plan --evidence evidence.json
    assert_status 0
    assert_output "rehearsed 2 h ago on staging: 00:00:41, ACCESS EXCLUSIVE on orders 180 ms"
    run_pgmigrate status --json
    assert_equal "$(json '.migrations[] | [.expected_ms, .rehearsal.where, .rehearsal.result, .rehearsal.lock.held_ms] | join(" ")' | uniq)" \
        "80000 staging passed 180"
    migration 002_b_rollback <<<'DROP TABLE IF EXISTS b;'
    run_pgmigrate status
    assert_status 0
    [[ ${lines[1]} =~ ^001_a\ +pending\ +rehearsed\ 2\ h\ ago ]]
    [[ ${lines[2]} =~ ^002_b\ +pending\ +changed\ since\ it\ was\ rehearsed\ 2\ h\ ago$ ]]
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate status
    refute_output rehears
}

@test "what was rehearsed and cannot be seen is told, and not called never rehearsed in silence" {
    mkdir .pgmigrate
    chmod 000 .pgmigrate
    start_own_cluster # whose socket may be reached by who has no rights
    [ "$(id -u)" != 0 ] || chmod 711 "$(realpath "$TEST_OWN_CLUSTER/server")"
    run_program without_rights pgmigrate plan
    assert_status 0
    assert_stderr ".pgmigrate/state.db\": Permission denied"
    chmod 700 .pgmigrate
}

@test "a protected environment refuses what has no rehearsal that counts, and names the files" {
    run_pgmigrate apply -e production --yes
    assert_status 10
    assert_stderr "2 of 2 migrations have no rehearsal that counts"
    assert_stderr "migrations/001_a.sql: was never rehearsed"
    assert_stderr "migrations/002_b.sql: was never rehearsed"
    assert_value "select to_regclass('a') is null and to_regclass('schema_migrations') is null" t
    write_evidence old.json 200 true old
    run_pgmigrate apply -e production --yes --evidence old.json
    assert_status 10
    assert_stderr "001_a.sql: was rehearsed 8 d ago on staging: 00:00:41, ACCESS EXCLUSIVE on orders 180 ms, too long ago"
    run_pgmigrate apply -e production --dry-run
    assert_status 0
    write_evidence new.json 3 true new
    write_evidence failed.json 1 false failed '.migrations |= .[1:]'
    run_pgmigrate apply -e production --yes --evidence new.json --evidence failed.json --json
    assert_status 10
    assert_equal "$(json .error.message)" "1 of 2 migrations has no rehearsal that counts"
    assert_equal "$(json .error.detail)" "migrations/002_b.sql: rehearsal failed 1 h ago on staging"
    run_pgmigrate apply -e production --yes --to 1
    assert_status 0
    # The same for who is asked: without the question.
    run_pgmigrate apply -e production
    assert_status 10
    assert_stderr "no rehearsal that counts"
}

@test "a rehearsal is required where it is asked for, and not where the age is empty" {
    run_pgmigrate apply --require-rehearsal
    assert_status 10
    PGMIGRATE_REHEARSAL_MAX_AGE=1d run_pgmigrate apply
    assert_status 10
    write_evidence evidence.json 200 true r1
    run_pgmigrate apply --require-rehearsal --evidence evidence.json
    assert_status 10
    run_pgmigrate apply --require-rehearsal --rehearsal-max-age 9d --to 1
    assert_status 0
    run_pgmigrate apply -e production --yes --rehearsal-max-age=
    assert_status 0
    run_pgmigrate apply -e production --yes
    assert_status 0
    assert_output "nothing to apply"
}

@test "evidence that was changed is refused; a damaged state hinders nothing but the gate" {
    write_evidence evidence.json 2 false r1
    sed 's/"passed": false/"passed": true/' evidence.json >forged.json
    run_pgmigrate apply --require-rehearsal --evidence forged.json
    assert_status 2
    assert_stderr '"forged.json" is not as it was written'
    run_pgmigrate apply --evidence missing.json
    assert_status 1
    mkdir -p .pgmigrate
    head -c 5000 /dev/zero >.pgmigrate/state.db
    run_pgmigrate status
    assert_status 0
    assert_stderr "warning: what was rehearsed and what it takes is not kept:"
    assert_stderr "Move it away"
    run_pgmigrate apply --require-rehearsal
    assert_status 10
    write_evidence passed.json 2 true r2
    run_pgmigrate apply --require-rehearsal --evidence passed.json --to 1
    assert_status 0
    assert_stderr "warning: what was rehearsed and what it takes is not kept:"
    run_pgmigrate apply
    assert_status 0
}

@test "what an apply took is kept beside what was estimated" {
    write_evidence evidence.json 2 true r1
    run_pgmigrate apply --evidence evidence.json
    assert_status 0
    assert_equal "$(sqlite3 .pgmigrate/state.db "select group_concat(version || ' ' || rehearsal || ' ' || low_ms || ' ' || (execution_ms >= 0))
        from applied where database = '$TEST_DATABASE'")" "001_a r1 60000 1,002_b r1 60000 1"
}
