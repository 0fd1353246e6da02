# SPDX-License-Identifier: PostgreSQL
# What comes back is what was there: schema, properties, rows, sequences, large objects.

load helpers
load fidelity

setup()
{
    test_setup
    export PGMIGRATE_REPOSITORY=$PWD/backups
    copy=${TEST_DATABASE}_copy
}

teardown()
{
    local name
    while read -r name; do
        fidelity_drop "$name"
    done < <(psql_server "select datname from pg_database where datname like '$TEST_DATABASE%'")
    test_teardown
    rm -rf "${FIDELITY_SERVER-}"
}

# The tests' server for libpq's programs, and only what restore.sh says that it needs in PATH.
with_few_programs() # COMMAND...
{
    local tools=$BATS_TEST_TMPDIR/tools tool
    mkdir -p "$tools"
    for tool in sh tar zstd psql pg_restore sha256sum awk basename cat cut df find grep ls mkdir mktemp rm sed sort tr uniq wc xargs; do
        ln -sf "$(type -P "$tool")" "$tools/$tool"
    done
    env -i PATH="$tools" TMPDIR="$BATS_TEST_TMPDIR" LC_ALL=C.UTF-8 PGUSER=postgres \
        PGHOST="$(sed 's/.*[?&]host=\([^&]*\).*/\1/; s/%2[Cc]/,/g' <<<"$TEST_SERVER_URL")" "$@"
}

# The archive of the only backup there is.
archive()
{
    local found=(backups/*.tar)
    assert_equal "${#found[@]}" 1 && printf '%s\n' "$PWD/${found[0]}"
}

# Members that match; tar quotes names otherwise.
members() # PATTERN
{
    tar tf "$(archive)" | grep -c "$1"
}

@test "with one stream everything comes back" {
    fidelity_load "$DATABASE_URL"
    run_pgmigrate backup create -j 1
    assert_status 0
    run_pgmigrate restore latest --to "$copy" -j 1
    assert_status 0
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"
}

@test "with two streams everything comes back, verified and by restore.sh too" {
    fidelity_load "$DATABASE_URL"
    run_pgmigrate backup create -j 2
    assert_status 0
    run_pgmigrate backup verify latest --decode
    assert_status 0
    run_pgmigrate restore latest --to "$copy" -j 2
    assert_status 0
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"

    tar -xOf "$(archive)" restore.sh >restore.sh
    run --separate-stderr with_few_programs sh restore.sh "$(archive)" "${copy}_sh"
    assert_status 0
    assert_same_database "$DATABASE_URL" "$(database_url "${copy}_sh")"
}

@test "with every table streamed and larger ones cut everything comes back, and by restore.sh too" {
    fidelity_load "$DATABASE_URL"
    run_pgmigrate backup create -j 3 --split-larger-than 512kB
    assert_status 0
    [ "$(members '^tables/[0-9]*/copy.sql$')" -gt 50 ]
    [ "$(members "^tables/[0-9]*/0*[2-9]\.[0-9]*\.zst$")" -gt 5 ]
    run_pgmigrate backup verify latest --decode
    assert_status 0
    run_pgmigrate restore latest --to "$copy" -j 3
    assert_status 0
    assert_same_database "$DATABASE_URL" "$(database_url "$copy")"

    tar -xOf "$(archive)" restore.sh >restore.sh
    run --separate-stderr with_few_programs sh restore.sh "$(archive)" "${copy}_sh" 3
    assert_status 0
    assert_same_database "$DATABASE_URL" "$(database_url "${copy}_sh")"
}

@test "a restored database that takes the other's place has its name, settings and rows" {
    fidelity_load "$DATABASE_URL"
    fidelity_describe "$DATABASE_URL" >before
    run_pgmigrate backup create
    assert_status 0
    fidelity_psql "$DATABASE_URL" -c "drop schema \"a=b\" cascade; delete from fidelity.hen"
    run_pgmigrate restore latest --swap --yes
    assert_status 0
    fidelity_describe "$DATABASE_URL" >after
    diff -a before after
    psql_server "select datname from pg_database" | grep -q "^${TEST_DATABASE}_before_restore_"
}

@test "rows of a database with another encoding come back" {
    local latin=${TEST_DATABASE}_latin
    psql_server "create database $latin template template0 encoding 'LATIN1' locale 'C'"
    fidelity_psql "$(database_url "$latin")" <<'SQL'
create schema "für"; create table "für"."größe" ("länge" text, n int);
insert into "für"."größe" select U&'\00e4\00ff\00a4' || i, i from generate_series(1, 30000) i;
create table public."klein" (t text); insert into public.klein values (U&'\00fc');
create schema fidelity; create table fidelity.x ();
SQL
    DATABASE_URL=$(database_url "$latin") run_pgmigrate backup create
    assert_status 0
    run_pgmigrate restore "$(archive)" --to "$copy"
    assert_status 0
    assert_same_database "$(database_url "$latin")" "$(database_url "$copy")"
    tar -xOf "$(archive)" restore.sh >restore.sh
    run --separate-stderr with_few_programs sh restore.sh "$(archive)" "${copy}_sh"
    assert_status 0
    assert_same_database "$(database_url "$latin")" "$(database_url "${copy}_sh")"
}

@test "rows that users put into an extension's tables come back, once" {
    fidelity_extension_server
    start_own_cluster
    psql_value "create extension with_tables schema public"
    psql_value "insert into setting select 'own ' || i, repeat('v', 200) from generate_series(1, 20000) i;
        insert into rule (setting, note) select 'own ' || i, i from generate_series(1, 20000) i"
    run_pgmigrate backup create
    assert_status 0
    run_pgmigrate restore latest --to "$copy"
    assert_status 0
    assert_same_database "$DATABASE_URL" "$(sed "s,/postgres?,/$copy?," <<<"$DATABASE_URL")"
}
