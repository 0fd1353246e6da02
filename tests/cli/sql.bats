# SPDX-License-Identifier: PostgreSQL
# The statements that pgmigrate sends, each understood by the server this runs on: `make test-servers` shows it for all.

load helpers

# The files whose statement begins with a word that PREPARE takes: only such have a plan. Some say from which version on.
planned()
{
    awk -v major="$(server_major)" 'FNR == 1 {
             wanted = !match($0, /[Ff]rom PostgreSQL [0-9]+ on/) || substr($0, RSTART + 16, 2) + 0 <= major
         }
         wanted && !/^ *(--|$)/ {
             if (tolower($1) ~ /^(select|with|insert|update|delete|values)/) print FILENAME
             wanted = 0
         }' "$BATS_TEST_DIRNAME"/../../sql/*.sql
}

# Those for SQLite, in sql/store, are prepared by tests/unit/store_test.c.
@test "every statement on catalogs and history can be prepared" {
    migration 1_one <<<"select 1;"
    run_pgmigrate apply
    assert_status 0
    psql -Xq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -f "$BATS_TEST_DIRNAME/../../sql/restore_ledger_create.sql"
    # psql's variables stand in the places of names. The server looks at a prepared statement's tables, columns, functions
    # and types.
    planned | while read -r file; do printf ';\nprepare "%s" as\n' "${file##*/}" && cat "$file"; done >all.psql
    echo ';' >>all.psql
    psql -XAtq -v schema=public -v table=schema_migrations -v log=schema_migrations_log -v column=applied_at \
        -v role=postgres -v index=any -v value=any -v name=schema_migrations -d "$DATABASE_URL" -f all.psql >told 2>&1
    assert_equal "$(head told)" ""
    [ "$(grep -c '^prepare' all.psql)" -gt 100 ]
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
