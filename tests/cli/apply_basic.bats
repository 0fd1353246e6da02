# SPDX-License-Identifier: PostgreSQL
# What apply prints and returns; what it does to the database is tested beside it.

load helpers

@test "apply prints a line per migration on stderr and the sum on stdout" {
    echo 'CREATE TABLE a (id int);' | migration 001_a
    echo 'CREATE TABLE b (id int);' | migration 002_b
    run_pgmigrate apply
    assert_status 0
    [[ $output =~ ^2\ of\ 2\ applied\ in\ [0-9.]+\ m?s\ on\ postgres@\[local\]/$TEST_DATABASE$ ]]
    [[ $stderr =~ ^applied\ 001_a\ \([0-9.]+\ m?s\)$'\n'applied\ 002_b\ \([0-9.]+\ m?s\)$ ]]
    run_pgmigrate apply
    assert_status 0
    assert_equal "$output" "nothing to apply on postgres@[local]/$TEST_DATABASE"
    assert_equal "$stderr" ""
}

@test "apply --quiet prints nothing, and errors all the same" {
    echo "DO \$\$ BEGIN RAISE NOTICE 'hm'; END \$\$;" | migration 001_a
    run_pgmigrate apply -q
    assert_status 0
    assert_equal "$output$stderr" ""
    echo 'SELECT nothing;' | migration 002_b
    run_pgmigrate apply -q
    assert_status 1
    assert_stderr 'migrations/002_b.sql:1:8: error: column "nothing" does not exist (42703)'
}

@test "a failure shows place, source line and caret, and how far the run came" {
    echo 'CREATE TABLE a (id int);' | migration 001_a
    printf "SELECT 'äö';\nSELECT 'äö',\n\tnothing;\n" | migration 002_b
    echo 'SELECT 1;' | migration 003_c
    run_pgmigrate apply
    assert_status 1
    assert_equal "$output" ""
    assert_stderr "1 of 3 applied; 002_b failed and was rolled back; 1 not reached"
    assert_stderr 'migrations/002_b.sql:3:2: error: column "nothing" does not exist (42703)'
    assert_stderr $'\n    \tnothing;\n    \t^'
    run_pgmigrate apply --json
    assert_status 1
    assert_equal "$(json '.error | [.code, .sqlstate, .file, .line, .column] | map(tostring) | join(" ")')" \
        "failed 42703 migrations/002_b.sql 3 2"
    assert_equal "$(json '[.migrations[] | .version, .state] | join(" ")')" "002_b failed 003_c pending"
}

@test "apply gives the fields of the contract as JSON" {
    printf 'CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (2);\n' | migration 001_a
    run_pgmigrate apply --json
    assert_status 0
    [[ $(json .run_id) =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$ ]]
    assert_equal "$(json '.migrations[0] | [.version, .state, .attempts] | map(tostring) | join(" ")')" "001_a applied 1"
    assert_equal "$(json '[.migrations[0].statements[] | .line, .rows] | map(tostring) | join(" ")')" "1 null 2 2"
    assert_equal "$(json '[.migrations[0].statements[].ms] | all(. >= 0)')" true
    run_pgmigrate apply --json
    assert_equal "$(json '[.ok, (.migrations | length), has("run_id")] | map(tostring) | join(" ")')" "true 0 false"
}

@test "notices are shown with their place" {
    printf "SELECT 1;\nDO \$\$ BEGIN RAISE WARNING 'look' USING HINT = 'closer'; END \$\$;\n" | migration 001_a
    run_pgmigrate apply
    assert_status 0
    assert_stderr "migrations/001_a.sql:2: warning: look"
    assert_stderr "hint: closer"
}

@test "control characters of the server's messages do not reach the terminal" {
    printf "DO \$\$ BEGIN RAISE NOTICE E'a\\\\033[31mb'; END \$\$;\n" | migration 001_a
    run_pgmigrate apply
    assert_status 0
    assert_stderr "a [31mb"
    refute_stderr $'\033'
}

@test "apply --dry-run undoes everything and names what it could not try" {
    echo 'CREATE TABLE a (id int);' | migration 001_a
    printf -- '-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);\n' | migration 002_b
    run_pgmigrate apply --dry-run
    assert_status 0
    assert_output "1 of 2 tried"
    assert_output "1 could not be tried in a transaction"
    assert_stderr "002_b was not tried"
    assert_value "select count(*) from pg_class where relnamespace = 'public'::regnamespace" 0
}

@test "apply --to stops after a version" {
    for number in 1 2 3; do
        echo 'SELECT 1;' | migration "00${number}_x"
    done
    run_pgmigrate up --to 002
    assert_status 0
    assert_output "2 of 2 applied"
    run_pgmigrate migrate --to latest
    assert_output "1 of 1 applied"
}

@test "settings come from flag, variable, environment section and general section, in this order" {
    cat >pgmigrate.conf <<'INI'
[migrations]
history_table = public.general
[environment x]
history_table = public.section
INI
    echo 'SELECT 1;' | migration 001_a
    run_pgmigrate apply
    run_pgmigrate apply -e x
    PGMIGRATE_HISTORY_TABLE=public.variable run_pgmigrate apply -e x
    PGMIGRATE_HISTORY_TABLE=public.variable run_pgmigrate apply -e x --history-table public.flag
    assert_status 0
    assert_value "select string_agg(tablename, ' ' order by tablename) from pg_tables
        where schemaname = 'public' and tablename not like '%log'" "flag general section variable"
}

@test "the git commit of the work tree is recorded" {
    echo 'SELECT 1;' | migration 001_a
    git init -q .
    git add migrations
    git -c user.name=t -c user.email=t@localhost commit -qm first
    run_pgmigrate apply
    assert_value "select git_commit from schema_migrations" "$(git rev-parse HEAD)"
}

@test "on a terminal a live line shows what runs, and goes away" {
    echo 'SELECT pg_sleep(1.5);' | migration 001_a
    run env TERM=xterm script -qec "pgmigrate apply" typescript
    assert_status 0
    assert_output "[1/1] 001_a"
    assert_output $'\r\033[K'
    assert_output "1 of 1 applied"
    run env TERM=dumb script -qec "pgmigrate apply --dry-run" typescript
    refute_output $'\033[K'
}

@test "a failed migration was attempted, too" {
    migration 001_a <<<"select 1/0;"
    run_pgmigrate apply --json
    assert_status 1
    assert_equal "$(json '.migrations[0] | [.version, .state, .attempts] | map(tostring) | join(" ")')" "001_a failed 1"
}

@test "descriptors that came closed are not mistaken for the connection" {
    migration 001_a <<<"create table a (); create table b ();"
    migration 002_b <<<"create table c ();"
    run bash -c "pgmigrate apply 2>&-"
    assert_status 0
    assert_output "2 of 2 applied"
    run bash -c "pgmigrate status <&- >&- 2>&-"
    assert_status 1
}

@test "output that cannot be written any more leaves what was applied" {
    migration 001_a <<<"create table a ();"
    run --separate-stderr bash -c "pgmigrate apply >/dev/full"
    assert_status 1
    run --separate-stderr bash -c "pgmigrate status >/dev/full"
    assert_status 1
    refute_stderr Success
    run_pgmigrate status
    assert_output "1 applied"
    run --separate-stderr bash -c 'pgmigrate status -q | true; exit "${PIPESTATUS[0]}"'
    assert_status 0
    assert_equal "$stderr" ""
}

@test "output that cannot be written says that the rest was done, and is not what a failure is told by" {
    local done="What the command was to do is done; only its output is missing."
    migration 001_a <<<"create table a ();"
    migration 001_a_rollback <<<"drop table a;"
    run --separate-stderr bash -c "pgmigrate apply --json --quiet >/dev/full"
    assert_status 1
    assert_stderr "$done"
    assert_value "select to_regclass('a') is not null" t
    run --separate-stderr bash -c "pgmigrate rollback --json --quiet >/dev/full"
    assert_status 1
    assert_stderr "$done"
    assert_value "select to_regclass('a') is null" t
    run --separate-stderr bash -c "pgmigrate apply --to 9 --json --quiet >/dev/full"
    assert_status 2
    assert_stderr '"9"'
    assert_stderr "could not write to standard output"
    refute_stderr "$done"
}

@test "a password in the log or in a message would be found" {
    psql_value "create role with_password login password 'geheim123' superuser"
    echo 'SELECT nothing;' | migration 001_a
    # The server trusts its socket, so the password is given and not asked for.
    run_pgmigrate apply -v -d "$(database_url "$TEST_DATABASE" with_password:geheim123)"
    psql_value "drop owned by with_password; drop role with_password"
    assert_status 1
    refute_stderr geheim123
    refute_output geheim123
}

@test "with --json and --quiet a failed run tells it in the document alone" {
    echo "SELECT nonsense;" | migration 009_wrong
    run_pgmigrate apply --json --quiet
    assert_status 1
    assert_equal "$stderr" ""
    assert_equal "$(json .error.code)" failed
}

@test "what is noticed about a script is told once" {
    migration 009_own <<<$'BEGIN;\nSELECT 1;\nCOMMIT;'
    for command in plan apply; do
        run_pgmigrate "$command"
        assert_status 0
        assert_equal "$(grep -c "are replaced by the migration's own transaction" <<<"$stderr")" 1
    done
}

@test "DATABASE_URL goes before the environment's entry, and what it hides is told" {
    mkdir -p migrations
    printf '[environment other]\ndatabase = postgresql:///elsewhere\n[environment same]\ndatabase = env:DATABASE_URL\n' \
        >pgmigrate.conf
    run_pgmigrate status -e other
    assert_status 0
    assert_stderr 'DATABASE_URL is used, not the database of environment "other"'
    run_pgmigrate status -e same
    assert_status 0
    refute_stderr "DATABASE_URL"
}

@test "a file with sections is refused where the layout is native, with the file and the setting" {
    migration 001_a <<<$'-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;'
    run_pgmigrate apply --layout native
    assert_status 2
    assert_stderr 'migrations/001_a.sql:3:1: error: layout "native" does not divide a file into sections: both would run'
    assert_stderr "layout = auto"
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('a') is not null" t
}
