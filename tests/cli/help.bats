# SPDX-License-Identifier: PostgreSQL
# What the program prints about itself.

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

@test "help prints the overview, or the help of a command or a group" {
    run_pgmigrate help
    assert_status 0
    assert_output "Usage: pgmigrate COMMAND"
    assert_output "Exit status:"
    assert_equal "$(printf '%s\n' "$output" | awk 'length > 80')" ""
    run_pgmigrate --help
    assert_equal "$output" "$(pgmigrate help)"
    run_pgmigrate help cluster start
    assert_equal "$output" "$(pgmigrate cluster start --help)"
    run_pgmigrate help cluster
    assert_status 0
    assert_output "cluster stop"
    assert_equal "$stderr" ""
    run_pgmigrate help no such
    assert_status 2
}

@test "help needs no configuration" {
    echo "nonsense = yes" >pgmigrate.conf
    run_pgmigrate help
    assert_status 0
    run_pgmigrate new --help
    assert_status 0
    run_pgmigrate new x
    assert_status 2
}

@test "the manual holds every command, option, key and exit status, and is well formed" {
    pgmigrate help --man >manual.scd
    for heading in NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS CONFIGURATION DIRECTIVES ENVIRONMENT "EXIT STATUS" \
        FILES EXAMPLES; do
        grep -qx "# $heading" manual.scd
    done
    grep -qx "## cluster start" manual.scd
    grep -q '^\*history\\_table\*$' manual.scd
    grep -q '^\*143\* terminated$' manual.scd
    scdoc <manual.scd >manual.1
    mandoc -T lint -W error manual.1
    mandoc -T ascii manual.1 | col -b >manual.txt
    grep -q -- "--history-table" manual.txt || grep -q -- "--folder" manual.txt
}

@test "the configuration it prints can be used as it is" {
    pgmigrate help --configuration >pgmigrate.conf
    grep -qx ';lock_timeout = 2s' pgmigrate.conf
    run_pgmigrate new first
    assert_status 0
    # Also with every key that has a default taken in.
    rm -r migrations
    sed -i 's/^;\([a-z_]* = .\)/\1/' pgmigrate.conf
    grep -qx 'lock_timeout = 2s' pgmigrate.conf
    sed -i 's/^;\(\[environment\)/\1/' pgmigrate.conf
    run_pgmigrate new first
    assert_status 0
}

# What bash offers for a command line.
complete_line() # WORD…
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    compopt() { :; }
    _pgmigrate
    printf '%s\n' "${COMPREPLY[@]}"
}

@test "bash completes commands, options, choices and files" {
    pgmigrate help --completion=bash >completion.bash
    bash -n completion.bash
    # shellcheck disable=SC1091
    . ./completion.bash
    complete_line pgmigrate cl | grep -qx cluster
    complete_line pgmigrate "" | grep -qx new
    complete_line pgmigrate cluster "" | grep -qx start
    complete_line pgmigrate cluster start --fo | grep -qx -- --folder
    # "backup" alone is a command, and the first word of others.
    assert_equal "$(complete_line pgmigrate ba | xargs)" "baseline backup"
    assert_equal "$(complete_line pgmigrate backup ver)" verify
    assert_equal "$(complete_line pgmigrate backup --ta)" --tag
    assert_equal "$(complete_line pgmigrate backup verify --dec)" --decode
    complete_line pgmigrate -c x.conf cluster start --fo | grep -qx -- --folder
    run complete_line pgmigrate cluster start --no-such
    assert_equal "$output" ""
    complete_line pgmigrate new --js | grep -qx -- --json
    assert_equal "$(complete_line pgmigrate --color a | sort | xargs)" "always auto"
    assert_equal "$(complete_line pgmigrate --color = n)" never
    mkdir folder
    touch file.conf
    complete_line pgmigrate -m f | grep -qx folder
    complete_line pgmigrate --config f | grep -qx file.conf
    run complete_line pgmigrate --database ""
    assert_equal "$output" ""
}

@test "zsh and fish completion name every command and its options" {
    for shell in zsh fish; do
        pgmigrate help --completion=$shell >completion
        grep -q "cluster" completion
        grep -q "history-table\|folder" completion
        grep -q "auto always never" completion
        "$shell" -n completion
    done
    run_pgmigrate help --completion=tcsh
    assert_status 2
    assert_stderr "bash, zsh, fish"
}

@test "fish completes commands and choices" {
    pgmigrate help --completion=fish >completion
    assert_equal "$(fish -N -c "source completion; complete -C 'pgmigrate cluster st'" | cut -f 1 | xargs)" \
        "start status stop"
    assert_equal "$(fish -N -c "source completion; complete -C 'pgmigrate rollback --use '" | cut -f 1 | xargs)" \
        "file stored"
    assert_equal "$(fish -N -c "source completion; complete -C 'pgmigrate backup ver'" | cut -f 1 | xargs)" verify
}

# What zsh offers at the end of a command line.
zsh_offers() # LINE
{
    "$BATS_TEST_DIRNAME/zsh_offers" "$PWD/functions" "$1" | xargs
}

@test "zsh completes commands, options and choices" {
    mkdir functions
    pgmigrate help --completion=zsh >functions/_pgmigrate
    assert_equal "$(zsh_offers "pgmigrate cl")" cluster
    assert_equal "$(zsh_offers "pgmigrate -c x.conf cluster st")" "start status stop"
    assert_equal "$(zsh_offers "pgmigrate rollback --us")" "--use"
    assert_equal "$(zsh_offers "pgmigrate backup ver")" verify
    assert_equal "$(zsh_offers "pgmigrate backup --ta")" --tag
    assert_equal "$(zsh_offers "pgmigrate backup verify --dec")" --decode
    assert_equal "$(zsh_offers "pgmigrate rollback --use=")" "file stored"
    assert_equal "$(zsh_offers "pgmigrate no-such-comm")" ""
}

@test "every key of the configuration has a flag in some command" {
    while read -r command; do
        # shellcheck disable=SC2086 # two words
        pgmigrate $command --help
    done < <(pgmigrate help | sed -n 's/^  \([a-z][a-z]*\( [a-z][a-z]*\)\{0,1\}\)\( [A-Z[].*\|  .*\|$\)/\1/p') >all
    while read -r flag; do
        grep -q -- "$flag\b" all || {
            echo "no command has $flag" >&2
            return 1
        }
    done < <(pgmigrate help --configuration | sed -n 's/^; (\(--[a-z-]*\).*/\1/p')
}
