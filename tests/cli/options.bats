# SPDX-License-Identifier: PostgreSQL
# What holds for every command line, whatever the command.

load helpers

# No database is needed.
setup()
{
    cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
    :
}

# Every command of the program, one per line.
commands()
{
    pgmigrate help | sed -n 's/^  \([a-z][a-z]*\( [a-z][a-z]*\)\{0,1\}\)\( [A-Z[].*\|  .*\|$\)/\1/p'
}

@test "the list of commands is found in the help" {
    [ "$(commands | wc -l)" -ge 6 ]
    commands | grep -qx "cluster start"
    commands | grep -qx help
}

@test "every command has help on stdout, of at most 80 columns, and nothing on stderr" {
    while read -r command; do
        # shellcheck disable=SC2086 # two words
        run_pgmigrate $command --help
        assert_status 0
        assert_equal "$stderr" ""
        assert_output "Usage: pgmigrate $command"
        assert_output "--json"
        assert_equal "$(printf '%s\n' "$output" | awk 'length > 80' )" ""
        assert_equal "$(printf '%s\n' "$output" | grep -c ' $')" 0
    done < <(commands)
}

@test "every command refuses an unknown option with exit 2 and nothing on stdout" {
    while read -r command; do
        # shellcheck disable=SC2086 # two words
        run_pgmigrate $command --no-such-option
        assert_status 2
        assert_equal "$output" ""
        assert_stderr 'error: unknown option "--no-such-option"'
    done < <(commands)
}

@test "every command prints one document for a wrong command line with --json" {
    while read -r command; do
        # shellcheck disable=SC2086 # two words
        run_pgmigrate $command --no-such-option --json
        assert_status 2
        assert_equal "$(printf '%s\n' "$output" | wc -l)" 1
        assert_equal "$(json '[.schema, .ok, .exit_code, .error.code] | join(" ")')" "1 false 2 usage"
        assert_stderr "unknown option"
    done < <(commands)
}

@test "a document begins with schema, command, ok and exit_code" {
    run_pgmigrate cluster status --json --folder "$PWD/none"
    assert_status 0
    assert_equal "${output:0:64}" '{"schema":1,"command":"cluster status","ok":true,"exit_code":0,"'
    run_pgmigrate help nonsense --json
    assert_status 2
    assert_equal "${output:0:59}" '{"schema":1,"command":"help","ok":false,"exit_code":2,"erro'
}

@test "a document names as its command what was typed, also where there is no such one" {
    run_pgmigrate frob --json
    assert_status 2
    assert_equal "${output:0:58}" '{"schema":1,"command":"frob","ok":false,"exit_code":2,"err'
    run_pgmigrate --json backup frob latest
    assert_equal "$(json .command)" "backup frob"
    run_pgmigrate cluster --json
    assert_status 2
    assert_equal "$(json .command)" cluster
    run_pgmigrate --json
    assert_status 2
    assert_equal "$(json '.command | tojson')" '""'
    run_pgmigrate $'fr\xff"\nob' --json
    assert_equal "$(json '.command | tojson')" '"fr?\"\nob"'
    run_pgmigrate "postgresql://u:geheim123@h/d" --json
    assert_equal "$(json .command)" "postgresql://u:xxxxxxxxx@h/d"
}

@test "with --json and --quiet an error is told by the document alone" {
    run_pgmigrate --json -q nonsense
    assert_status 2
    assert_equal "$(json .error.message)" 'unknown command "nonsense"'
    assert_equal "$(json .command)" nonsense
    assert_equal "$stderr" ""
}

@test "without a command the overview goes to stderr, with exit 2" {
    run_pgmigrate
    assert_status 2
    assert_equal "$output" ""
    assert_stderr "Usage: pgmigrate COMMAND"
    run_pgmigrate cluster
    assert_status 2
    assert_equal "$output" ""
    assert_stderr "cluster start"
    refute_stderr "Options of every command"
}

@test "a wrong command names the nearest one" {
    run_pgmigrate clster start
    assert_status 2
    assert_stderr 'unknown command "clster"'
    run_pgmigrate cluster strt
    assert_stderr 'Did you mean "cluster start"?'
    run_pgmigrate hlep
    assert_stderr 'Did you mean "help"?'
}

@test "options stand before the command as well" {
    run_pgmigrate --json cluster --folder "$PWD/none" status
    assert_status 0
    assert_equal "$(json .state)" absent
}

@test "--version prints one line and nothing else" {
    run_pgmigrate --version
    assert_status 0
    [[ $output =~ ^pgmigrate\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    assert_equal "$stderr" ""
    # It wins over a command that lacks its operand.
    run_pgmigrate new --version
    assert_status 0
}

@test "a full disk is not success" {
    run bash -c 'pgmigrate --help >/dev/full'
    assert_status 1
    assert_output "could not write to standard output"
    run_pgmigrate --help
    assert_status 0
}

@test "a reader that goes away early is nobody's mistake" {
    run bash -c 'set -o pipefail; for i in 1 2 3 4 5; do pgmigrate help --man | true || exit; done'
    assert_status 0
    assert_equal "$output" ""
}

@test "colors are off in a pipe, on with --color=always, and never with NO_COLOR" {
    run_pgmigrate nonsense
    refute_stderr $'\033'
    run_pgmigrate --color=always nonsense
    assert_stderr $'\033['
    run_pgmigrate --color=sometimes
    assert_status 2
    assert_stderr "auto, always, never"
    run env TERM=xterm script -qec "pgmigrate nonsense" /dev/null
    assert_output $'\033['
    run env TERM=xterm NO_COLOR=1 script -qec "pgmigrate nonsense" /dev/null
    refute_output $'\033'
}

@test "colors are decided for stdout and stderr each" {
    run_pgmigrate check --color=always
    mkdir migrations
    echo "select 1;" >migrations/001_a.sql
    run_pgmigrate check --color=always
    assert_output $'\033['
    run env TERM=xterm script -qec "pgmigrate check >findings" /dev/null
    grep -q "no rollback" findings
    run ! grep -q $'\033' findings
}

@test "a document names its command although an option is wrong" {
    run_pgmigrate check --no-such-option --json -q
    assert_status 2
    assert_equal "$(json .command)" check
}

@test "output that cannot be written fails, with the reason when it is known" {
    run --separate-stderr bash -c "pgmigrate --version >/dev/full"
    assert_status 1
    assert_stderr "could not write to standard output: No space left"
    run --separate-stderr bash -c "pgmigrate --version >&-"
    assert_status 1
    assert_stderr "could not write to standard output: Bad file descriptor"
}

@test "a reader that goes away is no failure" {
    mkfifo pipe
    sleep 5 <pipe 3>&- &
    local reader=$!
    exec 4>pipe
    kill "$reader"
    wait "$reader" || true
    run --separate-stderr bash -c "pgmigrate help >&4"
    exec 4>&-
    assert_status 0
    assert_equal "$stderr" ""
}

@test "a password is gone from the process list, and warned about" {
    # A listener that never answers keeps the connection attempt waiting.
    socat -u "UNIX-LISTEN:$PWD/.s.PGSQL.5432,fork" OPEN:/dev/null 3>&- &
    local listener=$!
    wait_until test -S .s.PGSQL.5432
    start_pgmigrate history -d "postgresql://u:geheim123@/db?host=$PWD"
    wait_until grep -q "can be read by every user" background.err
    tr '\0' ' ' <"/proc/$PGMIGRATE_PID/cmdline" >cmdline
    kill "$PGMIGRATE_PID"
    wait_pgmigrate
    kill "$listener"
    wait "$listener" || true
    grep -q "postgresql://u:xxxxxxxxx@" cmdline
    run ! grep -q geheim123 cmdline background.out background.err
}

@test "a password never comes back in a message" {
    for target in "postgresql://u:geheim123@127.0.0.1:1/db" "host=127.0.0.1 port=1 user=u password=geheim123"; do
        run_pgmigrate history -d "$target" -q
        assert_status 4
        refute_stderr geheim123
        refute_stderr "every user"
        run_pgmigrate history --json -d "$target"
        assert_status 4
        refute_output geheim123
        refute_stderr geheim123
    done
    run_pgmigrate history "postgresql://u:geheim123@127.0.0.1:1/db"
    assert_status 2
    refute_stderr geheim123
    run_pgmigrate "postgresql://u:geheim123@127.0.0.1:1/db"
    assert_status 2
    refute_stderr geheim123
}

@test "a password never comes back in what libpq says of a URI it cannot read" {
    run_pgmigrate history -d "postgresql://u:geheim123@[::1/db"
    assert_status 4
    assert_stderr 'u:xxxxxxxxx@[::1/db'
    refute_stderr geheim123
    for password in gehe@im123 gehe/im123 gehe%zzim123; do
        run_pgmigrate history -d "postgresql://u:$password@127.0.0.1:1/db"
        assert_status 2
        assert_stderr "not percent-encoded"
        refute_stderr im123
    done
}

@test "who named no database is told how to" {
    PGHOST=$PWD run_pgmigrate history
    assert_status 4
    assert_stderr "Give --database, set DATABASE_URL"
    run_pgmigrate history -d "host=$PWD"
    assert_status 4
    refute_stderr "No database was named"
}

@test "an empty connection string is none that means the default" {
    migration 001_a <<<'SELECT 1;'
    export PGHOST=${TEST_SERVER_URL#*host=} PGDATABASE=$TEST_DATABASE PGUSER=postgres
    PGHOST=${PGHOST%%&*}
    for option in --database= "-d" "--database"; do
        case $option in *=) value=() ;; *) value=("") ;; esac
        run_pgmigrate apply "$option" "${value[@]}"
        assert_status 2
        assert_stderr '"--database" names no database'
    done
    run_pgmigrate rehearse --scratch --against ""
    assert_status 2
    assert_stderr '"--against" names no database'
}

@test "a number that cannot be is refused with the ones that can" {
    run_pgmigrate history --limit 0
    assert_status 2
    assert_stderr "It is a whole number, at least 1."
}

@test "a configuration behind a folder that may not be searched is not passed over in silence" {
    mkdir -p outer/inner/migrations
    printf '[environment production]\nprotected = yes\n' >outer/pgmigrate.conf
    cd outer/inner
    run_program without_rights pgmigrate check -m migrations
    refute_stderr "could not be looked for"
    chmod 000 ..
    run_program without_rights pgmigrate check -m migrations
    local seen=$stderr
    run_program without_rights pgmigrate check -m migrations -e production
    local unknown=$stderr
    run_program without_rights pgmigrate check -m migrations --config /dev/null
    chmod 755 ..
    refute_stderr "could not be looked for"
    stderr=$seen
    assert_stderr "/outer/pgmigrate.conf\" could not be looked for: Permission denied"
    stderr=$unknown
    assert_stderr 'unknown environment "production"'
    assert_stderr "/outer/pgmigrate.conf\" could not be looked for: Permission denied"
    # A nearer one is what counts.
    printf '' >pgmigrate.conf
    chmod 000 ..
    run_program without_rights pgmigrate check -m migrations
    chmod 755 ..
    refute_stderr "could not be looked for"
}
