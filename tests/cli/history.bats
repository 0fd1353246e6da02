# SPDX-License-Identifier: PostgreSQL
#
# The history table as people and migrations see it, in runs long enough for the server to plan the record once.

load helpers

# 001_t … 00N_t, each with a table.
tables() # N
{
    local i
    for ((i = 1; i <= $1; i++)); do
        echo "CREATE TABLE t$i ();" | migration "00${i}_t"
    done
}

@test "what people type to look at the history reads well" {
    tables 3
    pgmigrate apply
    assert_value "SELECT string_agg(version, ',') FROM (SELECT * FROM schema_migrations ORDER BY version DESC LIMIT 2) AS h" \
        "003_t,002_t"
    assert_value "SELECT count(*) FROM schema_migrations WHERE forward_text = 'CREATE TABLE t1 ();' || chr(10)" 1
}

@test "a lost run lock is noticed however often the record was made before" {
    tables 8
    echo 'SELECT pg_advisory_unlock_all(); CREATE TABLE t9 ();' | migration 009_t
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'migrations/009_t.sql'
    assert_stderr 'the run lock was lost'
    assert_value "SELECT count(*) FROM schema_migrations" 8
    assert_value "SELECT to_regclass('t9') IS NULL" t
}

@test "a dropped or replaced history table is noticed however often the record was made before" {
    tables 8
    echo 'DROP TABLE schema_migrations; CREATE TABLE t9 ();' | migration 009_t
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'the history table "public.schema_migrations" was dropped meanwhile'
    migration 009_t <<'SQL'
ALTER TABLE schema_migrations RENAME TO old;
CREATE TABLE schema_migrations (LIKE old INCLUDING ALL);
SQL
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'the history table "public.schema_migrations" was replaced meanwhile'
    assert_value "SELECT to_regclass('old') IS NULL" t
}

@test "a migration that empties the history is rolled back, whichever run wrote the rows" {
    tables 2
    echo 'TRUNCATE schema_migrations;' | migration 003_t
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'the history table "public.schema_migrations" was emptied meanwhile'
    assert_value "SELECT count(*) FROM schema_migrations" 2
    echo 'DELETE FROM schema_migrations;' | migration 003_t
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'the history table "public.schema_migrations" was emptied meanwhile'
    assert_value "SELECT count(*) FROM schema_migrations" 2
}

@test "a migration that deletes another's row is rolled back, one that deletes its own is not" {
    tables 3
    echo "SAVEPOINT s; DELETE FROM schema_migrations WHERE version = '001_t'; RELEASE s;" | migration 004_t
    run_pgmigrate apply
    assert_status 1
    assert_stderr "the history table \"public.schema_migrations\" was robbed of other migrations' rows meanwhile"
    assert_stderr "A migration must leave the history table alone, but for rows of its own."
    assert_value "SELECT count(*) FROM schema_migrations" 3
    # Now it was another run that wrote the row, and what was undone has taken nothing.
    run_pgmigrate apply
    assert_status 1
    assert_stderr "was robbed of other migrations' rows meanwhile"
    migration 004_t <<'SQL'
INSERT INTO schema_migrations (version) VALUES ('004'), ('004_t');
SAVEPOINT s;
DELETE FROM schema_migrations WHERE version = '001_t';
ROLLBACK TO s;
DELETE FROM schema_migrations WHERE version = '004_t';
SQL
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT string_agg(version, ' ' ORDER BY version) FROM schema_migrations" "001_t 002_t 003_t 004_t"
}

@test "a dropped log is called by its name" {
    tables 1
    pgmigrate apply
    echo 'DROP TABLE schema_migrations_log;' | migration 002_t
    run_pgmigrate apply
    assert_status 1
    assert_stderr 'the history table "public.schema_migrations_log" was dropped meanwhile'
}

@test "a role that lacks rights on the log is told so before and after" {
    local role=${TEST_DATABASE}_r
    tables 1
    pgmigrate apply
    psql_value "create role $role login; grant create on schema public to $role;
        grant all on schema_migrations to $role; grant select on schema_migrations_log to $role"
    echo "CREATE TABLE t2 ();" | migration 002_t
    run_pgmigrate doctor -d "$(database_url "$TEST_DATABASE" "$role")"
    local found=$output
    run_pgmigrate plan -d "$(database_url "$TEST_DATABASE" "$role")"
    local planned=$status:$stderr
    run_pgmigrate apply -d "$(database_url "$TEST_DATABASE" "$role")"
    psql_value "drop owned by $role; drop role $role"
    assert_status 1
    assert_stderr "error: permission denied for table schema_migrations_log (42501)"
    assert_stderr "GRANT SELECT, INSERT ON \"public\".\"schema_migrations_log\" TO \"$role\""
    [[ $planned == 1:*"${stderr##*error: }" ]]
    output=$found
    assert_output 'may not write the history'
    assert_output "GRANT SELECT, INSERT ON \"public\".\"schema_migrations_log\" TO \"$role\""
}

@test "a role that may not read the history is told what reading it needs, and no more" {
    local role=${TEST_DATABASE}_r command grants told=
    tables 1
    pgmigrate apply
    psql_value "create role $role login"
    for command in status plan history; do
        run_pgmigrate "$command" -d "$(database_url "$TEST_DATABASE" "$role")"
        grants=${stderr#*hint: Grant this role what is needed: }
        told+="$status ${grants%%. *}"$'\n'
    done
    psql_value "${grants%%. *}"
    for command in status plan history; do
        run_pgmigrate "$command" -d "$(database_url "$TEST_DATABASE" "$role")"
        told+="$status "
    done
    psql_value "drop owned by $role; drop role $role"
    grants="1 GRANT USAGE ON SCHEMA \"public\" TO \"$role\"; GRANT SELECT ON \"public\".\"schema_migrations\", \"public\".\"schema_migrations_log\" TO \"$role\""
    assert_equal "$told" "$grants"$'\n'"$grants"$'\n'"$grants"$'\n'"0 0 0 "
}

@test "a role that may only read the history may look at the plan" {
    local role=${TEST_DATABASE}_r
    tables 1
    pgmigrate apply
    psql_value "create role $role login; grant select on schema_migrations, schema_migrations_log to $role"
    echo "CREATE TABLE t2 ();" | migration 002_t
    run_pgmigrate plan -d "$(database_url "$TEST_DATABASE" "$role")"
    psql_value "drop owned by $role; drop role $role"
    assert_status 0
    assert_output "1 to apply, 1 applied"
}

@test "a type that has the history table's name is told" {
    tables 1
    psql_value "create type schema_migrations as enum ('a')"
    run_pgmigrate apply
    assert_status 6
    assert_stderr "There is a type of that name"
}

@test "migrations may deallocate prepared statements" {
    tables 9
    echo 'PREPARE mine AS SELECT 1; DEALLOCATE mine;' | migration 003_t
    echo 'deallocate all; CREATE TABLE t7 ();' | migration 007_t
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate status
    assert_value "SELECT count(*) FROM schema_migrations" 9
}

@test "migrations may deallocate prepared statements out of sight" {
    tables 6
    migration 003_t <<'SQL'
CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLO' || 'CATE ALL'; END $$;
SELECT forget();
SQL
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT count(*) FROM schema_migrations" 6
}

@test "a migration that changes the search_path does not change where its row goes" {
    tables 9
    echo "CREATE SCHEMA other; CREATE TABLE other.schema_migrations (version text); SET search_path = other;" |
        migration 008_t
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT count(*) FROM public.schema_migrations" 9
    assert_value "SELECT count(*) FROM other.schema_migrations" 0
}

@test "a migration's own row by number is completed, in a long run too" {
    tables 8
    migration 007_t <<'SQL'
CREATE TABLE t7 ();
INSERT INTO schema_migrations (version, description, applied_at) VALUES ('007', 'Seven', now()) ON CONFLICT DO NOTHING;
SQL
    run_pgmigrate apply
    assert_status 0
    assert_value "SELECT string_agg(version || coalesce(description, ''), ',') FROM schema_migrations WHERE version LIKE '007%'" \
        "007_tSeven"
}

@test "a migration's own row is completed, however it spells its version" {
    local spelling
    psql_value "create table schema_migrations (version text primary key, description text, applied_at timestamptz)"
    echo "DROP TABLE b;" | migration 025a_b_rollback
    for spelling in 025a_b.sql 025a 25a 0025a 00025a_b V025a v25a.sql; do
        echo "CREATE TABLE b (); INSERT INTO schema_migrations (version, applied_at) VALUES ('$spelling', now());" |
            migration 025a_b
        run_pgmigrate apply
        assert_status 0
        assert_value "SELECT string_agg(version, ' ') FROM schema_migrations" 025a_b
        run_pgmigrate rollback
        assert_status 0
        assert_value "SELECT count(*) FROM schema_migrations" 0
        sed -i '1i -- pgmigrate: no-transaction' migrations/025a_b.sql
        run_pgmigrate apply
        assert_status 0
        assert_value "SELECT string_agg(version, ' ') FROM schema_migrations" 025a_b
        run_pgmigrate rollback
        assert_status 0
    done
}

@test "a row of another version that a migration writes is noticed before COMMIT" {
    tables 3
    psql_value "create table schema_migrations (version text primary key, applied_at timestamptz)"
    psql_value "insert into schema_migrations values ('001 ', now())"
    migration 002_t <<'SQL'
CREATE TABLE t2 ();
INSERT INTO Schema_Migrations (version, applied_at) VALUES ('003', now());
SQL
    run_pgmigrate apply
    assert_status 1
    assert_stderr "the migration wrote a row of another version into the history table"
    assert_value "select string_agg(version, ' ' order by version), to_regclass('t2') is null from schema_migrations" "001|t"
    sed -i 's/003/2/' migrations/002_t.sql
    run_pgmigrate apply
    assert_status 0
    assert_value "select string_agg(version, ' ' order by version) from schema_migrations" "001 002_t 003_t"
}

@test "history prints who did what, newest first" {
    tables 2
    pgmigrate apply
    run_pgmigrate history --json
    assert_status 0
    assert_equal "$(json '.entries[] | .action + " " + .version + " " + .who' | paste -sd,)" \
        "applied 002_t postgres,applied 001_t postgres"
}

@test "the GRANT that a hint tells can be pasted, whatever the table is called" {
    local role="odd \"$TEST_DATABASE" sql
    psql_value "create role \"${role//\"/\"\"}\" login"
    migration 001_a <<<'SELECT 1;'
    export PGMIGRATE_HISTORY_TABLE='"o dd"."schema ""mig"'
    run_pgmigrate apply
    assert_status 0
    DATABASE_URL=$(database_url "$TEST_DATABASE" "odd%20%22$TEST_DATABASE")
    run_pgmigrate status
    [ "$status" != 0 ]
    sql=${stderr#*what is needed: }
    DATABASE_URL=$(database_url "$TEST_DATABASE")
    psql_value "${sql%%. To look*}"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "odd%20%22$TEST_DATABASE")
    run_pgmigrate status
    assert_status 0
    drop_test_database
    psql_server "drop role \"${role//\"/\"\"}\""
}
