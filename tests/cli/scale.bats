# SPDX-License-Identifier: PostgreSQL
# Large files and many files.

load helpers

@test "a migration with 50 MB of COPY data" {
    mkdir migrations
    {
        echo 'CREATE TABLE big (id int, text text);'
        echo 'COPY big FROM stdin;'
        awk 'BEGIN { for (i = 1; i <= 500000; i++) printf "%d\t%s; it'\''s row \"%d\" of very many, padded to a hundred bytes or so ......................................\n", i, "x", i }'
        echo '\.'
        echo 'CREATE INDEX ON big (id);'
    } >migrations/001_big.sql
    [ "$(stat -c %s migrations/001_big.sql)" -gt 50000000 ]
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '.migrations[0].statements[1].rows')" 500000
    assert_value "select count(*), max(id) from big" "500000|500000"
    assert_value "select length(forward_text) from schema_migrations" "$(wc -c <migrations/001_big.sql)"
    run_pgmigrate status --json
    assert_status 0
    assert_equal "$(json .counts.applied)" 1
}

@test "an error in the last line of a 50 MB file is shown at that line, and nothing is kept" {
    mkdir migrations
    {
        echo 'CREATE TABLE big (id int, text text);'
        echo 'COPY big FROM stdin;'
        awk 'BEGIN { for (i = 1; i <= 500000; i++) printf "%d\tpadded to a hundred bytes or so: ...........................................................\n", i }'
        echo 'wrong'
        echo '\.'
    } >migrations/001_big.sql
    run_pgmigrate apply
    assert_status 1
    assert_stderr "migrations/001_big.sql:500003: error:"
    assert_value "select to_regclass('big') is null" t
}

# What is limited is pgmigrate's own time on a processor, in which the square shows; the server has its own.
@test "a script's time grows with its 5,000 statements, not with their square" {
    migration 001_t <<<'CREATE TABLE t (id int, tenant text);'
    { echo '-- pgmigrate: no-transaction'; printf 'INSERT INTO t VALUES (%d);\n' {1..5000}; } | migration 002_bare
    { echo '-- pgmigrate: variables'; printf "INSERT INTO t VALUES (%d, :'tenant');\n" {1..5000}; } | migration 003_set
    run_program bash -c 'ulimit -t 3; exec pgmigrate apply -q --set tenant=somebody'
    assert_status 0
    assert_value "select count(*), count(tenant) from t" "10000|5000"
}

@test "5,000 files: applied in order, and nothing to do afterwards" {
    mkdir migrations
    awk 'BEGIN {
        for (i = 1; i <= 5000; i++) {
            f = sprintf("migrations/%d_step.sql", i)
            print "INSERT INTO steps VALUES (" i ");" >f; close(f)
            r = sprintf("migrations/%d_step_rollback.sql", i)
            print "DELETE FROM steps WHERE id = " i ";" >r; close(r)
        }
    }'
    echo 'CREATE TABLE steps (id int, at serial); INSERT INTO steps VALUES (1);' >migrations/1_step.sql
    run_pgmigrate apply --batch 64 -q
    assert_status 0
    assert_value "select count(*), bool_and(id = at) from steps" "5000|t"
    assert_value "select count(*), count(distinct sequence) from schema_migrations" "5000|5000"
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '.migrations | length')" 0
    run_pgmigrate check -q
    assert_status 0
}
