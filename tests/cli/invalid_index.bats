# SPDX-License-Identifier: PostgreSQL
# What CREATE INDEX CONCURRENTLY leaves when it fails, and how the next run finds it.

load helpers

setup()
{
    test_setup
    psql_value 'create schema "S x"; create table "S x"."T" (id int); insert into "S x"."T" values (1), (1)'
}

# "index valid" of every index in the schema.
indexes()
{
    psql_value "select indexrelid::regclass::text || ' ' || indisvalid from pg_index where indrelid = '\"S x\".\"T\"'::regclass"
}

unique_index()
{
    migration 001_i <<<$'-- pgmigrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY "I""1" ON "S x"."T" ((id + 0)) WHERE id > 0;'
}

@test "an index whose build failed is dropped, and built by the next run" {
    unique_index
    run_pgmigrate apply
    [ "$status" -ne 0 ]
    assert_stderr 'dropping the INVALID index "S x"."I""1" that a failed build left'
    assert_equal "$(indexes)" ""
    psql_value 'delete from "S x"."T"' >/dev/null
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(indexes)" '"S x"."I""1" true'
}

@test "an INVALID index that others left is not taken for ours" {
    run psql -Xq -d "$DATABASE_URL" -c 'create unique index concurrently "I""1" on "S x"."T" (id)'
    unique_index
    run_pgmigrate plan
    assert_status 0
    assert_stderr '001_i.sql:2:1: warning: index "S x"."I""1" is already there and INVALID'
    assert_stderr 'DROP INDEX CONCURRENTLY "S x"."I""1"'
    run_pgmigrate plan --json
    assert_equal "$(json '.notices[].rule')" invalid-index
    run_pgmigrate apply
    assert_status 1
    assert_stderr '001_i.sql:2:1: error: index "S x"."I""1" is already there and INVALID'
    assert_equal "$(indexes)" '"S x"."I""1" false'
}

@test "an index of the same name in another schema does not matter" {
    psql_value 'create table t (id int); insert into t values (1), (1)'
    run psql -Xq -d "$DATABASE_URL" -c 'create unique index concurrently "I""1" on t (id)'
    psql_value 'delete from "S x"."T"' >/dev/null
    unique_index
    run_pgmigrate apply
    assert_status 0
    assert_equal "$(indexes)" '"S x"."I""1" true'
}
