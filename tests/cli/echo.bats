# SPDX-License-Identifier: PostgreSQL
# What psql's \echo prints in a migration, between the statements it stands between.

load helpers

# What apply told on stderr, without times and places.
told()
{
    sed -E 's/ \([0-9.]+ m?s\)$//; s/^.*(notice|NOTICE): */notice: /' <<<"$stderr"
}

# A function whose notice shows when it was called.
setup()
{
    test_setup
    psql_value "create function say(t text) returns void language plpgsql as 'begin raise notice ''%'', t; end'"
}

@test "echo shows on stderr between the statements, in order" {
    migration 001_a <<<$'\\echo one\nSELECT say(\'a\');\n\\echo \'two  words\'\nSELECT say(\'b\');\n\\warn three'
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(told)" $'one\nnotice: a\ntwo  words\nnotice: b\nthree\napplied 001_a'
}

@test "echo shows in order where COPY needs another transport" {
    psql_value 'create table t (id int)'
    migration 001_a <<<$'\\echo one\nCOPY t FROM stdin;\n1\n\\.\n\\echo two\nSELECT say(\'a\');\n\\echo three'
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(told)" $'one\ntwo\nnotice: a\nthree\napplied 001_a'
}

@test "echo shows in order in a script without a transaction" {
    psql_value 'create table t (id int)'
    migration 001_a <<'EOF'
-- pgmigrate: no-transaction
\echo one
VACUUM t;
\echo two
BEGIN;
\echo three
SELECT say('a');
\echo four
COMMIT;
\echo five
VACUUM t;
SELECT say('b');
\echo six
EOF
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(told)" $'one\ntwo\nthree\nnotice: a\nfour\nfive\nnotice: b\nsix\napplied 001_a'
}

@test "echo shows nothing behind the statement that fails, and goes on where the next run does" {
    migration 001_a <<<$'-- pgmigrate: no-transaction\n\\echo one\nSELECT 1;\n\\echo two\nSELECT gone();\n\\echo three'
    run_pgmigrate apply
    assert_status 7
    [[ $stderr == $'one\ntwo\n'* ]]
    refute_stderr three
    psql_value "create function gone() returns int language sql as 'select 1'"
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(told)" $'two\nthree\napplied 001_a'
}

@test "echo of a rollback shows once, and not in a dry run" {
    migration 001_a <<<$'\\echo up'
    migration 001_a_rollback <<<$'\\echo down\nSELECT 1;'
    run_pgmigrate apply --dry-run
    refute_stderr up
    run_pgmigrate apply
    assert_stderr up
    run_pgmigrate rollback --yes
    assert_status 0
    assert_equal "$(grep -c down <<<"$stderr")" 1
}
