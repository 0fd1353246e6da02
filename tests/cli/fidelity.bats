# SPDX-License-Identifier: PostgreSQL
# The comparison that other tests rely on sees any difference.

load helpers
load fidelity

teardown()
{
    fidelity_drop "$TEST_DATABASE"
    fidelity_drop "${TEST_DATABASE}_b"
    test_teardown
}

# In a session whose changes event triggers do not see.
change() # SQL
{
    PGCLIENTENCODING=UTF8 PGOPTIONS="$FIDELITY_OPTIONS -c session_replication_role=replica -c client_min_messages=error" \
        psql -Xq -v ON_ERROR_STOP=1 -v "database=$TEST_DATABASE" -d "$DATABASE_URL" >/dev/null <<<"$1"
}

# After a change the part's description is another one; then the change is undone.
seen() # schema|properties|rows SQL UNDO
{
    change "$2"
    "fidelity_$1" "$DATABASE_URL" >changed
    if diff -aq "$1" changed >/dev/null; then
        echo "the comparison does not see: $2" >&2
        return 1
    fi
    change "$3"
}

@test "two databases made alike are the same, and any single difference is found" {
    fidelity_load "$DATABASE_URL"
    psql_server "create database ${TEST_DATABASE}_b"
    fidelity_load "$(database_url "${TEST_DATABASE}_b")"
    assert_same_database "$DATABASE_URL" "$(database_url "${TEST_DATABASE}_b")"

    # Or no table without a key could be changed.
    change "ALTER PUBLICATION everything SET (publish = 'insert')"
    for part in schema properties rows; do
        "fidelity_$part" "$DATABASE_URL" >"$part"
    done
    seen rows "UPDATE fidelity.large SET t = t || ' ' WHERE id = 1" "UPDATE fidelity.large SET t = rtrim(t) WHERE id = 1"
    seen rows "UPDATE fidelity.odd_text SET t = '' WHERE id = 1005" "UPDATE fidelity.odd_text SET t = NULL WHERE id = 1005"
    seen rows "DELETE FROM fidelity.no_columns WHERE ctid = '(0,3)'" "INSERT INTO fidelity.no_columns DEFAULT VALUES"
    seen rows "INSERT INTO fidelity.one_text VALUES ('.')" "DELETE FROM fidelity.one_text WHERE ctid = (SELECT max(ctid) FROM fidelity.one_text)"
    seen rows "UPDATE fidelity.value_of_each_type SET f8 = 0.3 WHERE id = 2" "UPDATE fidelity.value_of_each_type SET f8 = 0.1::float8 + 0.2 WHERE id = 2"
    seen rows "UPDATE fidelity.value_of_each_type SET tsz = tsz + interval '1us' WHERE id = 100" "UPDATE fidelity.value_of_each_type SET tsz = tsz - interval '1us' WHERE id = 100"
    seen rows "UPDATE fidelity.by_enum SET n = 0 WHERE n = 7" "UPDATE fidelity.by_enum SET n = 7 WHERE n = 0"
    seen rows "UPDATE fidelity.clustered SET v = v WHERE id = 1" "CLUSTER fidelity.clustered"
    seen rows "REFRESH MATERIALIZED VIEW fidelity.unfilled_view" "REFRESH MATERIALIZED VIEW fidelity.unfilled_view WITH NO DATA"
    seen rows "SELECT setval('fidelity.never_used', 17, true)" "SELECT setval('fidelity.never_used', 17, false)"
    seen rows "SELECT lo_put(900001, 100000, '\\x01')" "SELECT lo_put(900001, 100000, '\\x00')"
    seen rows "REVOKE SELECT ON LARGE OBJECT 900003 FROM PUBLIC" "GRANT SELECT ON LARGE OBJECT 900003 TO PUBLIC"
    seen schema "REVOKE SELECT ON fidelity.frozen FROM fidelity_reader" "GRANT SELECT ON fidelity.frozen TO fidelity_reader WITH GRANT OPTION"
    seen schema "ALTER TABLE fidelity.frozen OWNER TO fidelity_writer" "ALTER TABLE fidelity.frozen OWNER TO fidelity_owner"
    seen schema "ALTER TABLE fidelity.large NO FORCE ROW LEVEL SECURITY" "ALTER TABLE fidelity.large FORCE ROW LEVEL SECURITY"
    seen schema "ALTER TABLE fidelity.egg ENABLE TRIGGER later" "ALTER TABLE fidelity.egg DISABLE TRIGGER later"
    seen schema "COMMENT ON POLICY mine ON fidelity.large IS NULL" "COMMENT ON POLICY mine ON fidelity.large IS 'a few'"
    seen schema "ALTER TABLE fidelity.changed_columns ALTER b SET STATISTICS 501" "ALTER TABLE fidelity.changed_columns ALTER b SET STATISTICS 500"
    seen schema "CREATE TABLE fidelity.one_more ()" "DROP TABLE fidelity.one_more"
    seen properties "ALTER DATABASE :\"database\" SET work_mem = '5MB'" "ALTER DATABASE :\"database\" RESET work_mem"
    seen properties "ALTER ROLE fidelity_owner IN DATABASE :\"database\" SET lock_timeout = 6" \
        "ALTER ROLE fidelity_owner IN DATABASE :\"database\" SET lock_timeout = 5"
    seen properties "GRANT CONNECT ON DATABASE :\"database\" TO fidelity_writer" "REVOKE CONNECT ON DATABASE :\"database\" FROM fidelity_writer"
    seen properties "COMMENT ON DATABASE :\"database\" IS 'other'" "COMMENT ON DATABASE :\"database\" IS 'it''s \"the\" database'"

    change "ALTER PUBLICATION everything SET (publish = 'insert, update, delete, truncate')"
    assert_same_database "$DATABASE_URL" "$(database_url "${TEST_DATABASE}_b")"
}

@test "a database with standard_conforming_strings = off is read as psql reads it there" {
    psql_value "alter database \"$TEST_DATABASE\" set standard_conforming_strings = off"
    migration 001_notes <<'SQL'
CREATE TABLE notes (note text);
SET escape_string_warning = off;
INSERT INTO notes VALUES ('it\'s; one');
SET standard_conforming_strings = on;
INSERT INTO notes VALUES ('C:\');
RESET standard_conforming_strings;
INSERT INTO notes VALUES ('it\'s; two');
SQL
    printf "DELETE FROM notes WHERE note = 'it\\\\'s; two'; DROP TABLE notes;\n" >migrations/001_notes_rollback.sql
    run_pgmigrate plan
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "select string_agg(note, ' ') from notes" "it's; one C:\\ it's; two"
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select to_regclass('notes') is null" t
}
