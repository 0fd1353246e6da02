# SPDX-License-Identifier: PostgreSQL
# The statements that pgmigrate sends, each understood by the server this runs on: `make test-servers` shows it for all.

load helpers

# A statement with psql's variables in the places of its names. The server looks at a prepared statement's tables,
# columns, functions and types, but PREPARE takes only statements that have a plan.
prepare() # FILE
{
    local first
    first=$(sed '/^ *--/d; /^ *$/d' "$1" | head -n 1)
    case ${first,,} in
        select* | with* | insert* | update* | delete* | values*) ;;
        *) return 0 ;;
    esac
    printf '%s\n' prepare >>prepared
    { echo "prepare statement as"; cat "$1"; } |
        psql -XAtq -v ON_ERROR_STOP=1 -v schema=public -v table=schema_migrations -v log=schema_migrations_log \
            -v column=applied_at -v role=postgres -v index=any -v value=any -v name=schema_migrations -d "$DATABASE_URL" -f -
}

# Those for SQLite, in sql/store, are prepared by tests/unit/store_test.c.
@test "every statement on catalogs and history can be prepared" {
    migration 1_one <<<"select 1;"
    run_pgmigrate apply
    assert_status 0
    psql -Xq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -f "$BATS_TEST_DIRNAME/../../sql/restore_ledger_create.sql"
    failed=
    for file in "$BATS_TEST_DIRNAME"/../../sql/*.sql; do
        prepare "$file" || failed="$failed ${file##*/}"
    done
    assert_equal "$failed" ""
    [ "$(wc -l <prepared)" -gt 30 ]
}

# As a person runs them: the scope, kept in a variable of psql's, and the check.
@test "every check of row-level security runs by hand" {
    [ "$(printf '%s\n' "$BATS_TEST_DIRNAME"/../../sql/rls/s[0-9]*.sql | wc -l)" -eq 28 ]
    cd "$BATS_TEST_DIRNAME/../../sql/rls"
    for file in s[0-9]*.sql; do printf '\\i %s\n;\n' "$file"; done |
        psql -XAtq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -c "set search_path = pg_catalog" -f scope.sql -f -
}

@test "every statement begins with a comment that says what it answers" {
    for file in "$BATS_TEST_DIRNAME"/../../sql/{,store/,rls/,rls/probe/}*.sql; do
        [[ $(head -n 1 "$file") == "-- "* ]] || { echo "$file" >&2; false; }
    done
}

@test "names from the system's catalogs are written with their schema" {
    # Words that begin with pg_, but neither behind a qualifier nor within a string or comment.
    run grep -nP "^(?!\s*--).*(?<![.\w'])pg_(?!catalog\b|temp\b)\w+" "$BATS_TEST_DIRNAME"/../../sql/{,rls/,rls/probe/}*.sql
    assert_equal "$output" ""
}
