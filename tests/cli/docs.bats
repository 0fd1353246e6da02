# SPDX-License-Identifier: PostgreSQL
# What the documents show is what happens.

load helpers

setup()
{
    test_setup
    root=$BATS_TEST_DIRNAME/../..
    tools=$root/tests
    export TEST_DATABASE
}

# The guides restore backups into databases beside it.
teardown()
{
    psql_server "select format('drop database %I with (force)', datname) from pg_database where datname like '${TEST_DATABASE}_%'" |
        while read -r statement; do psql_server "$statement"; done
    test_teardown
}

own_server()
{
    [ -z "${PGMIGRATE_PG_BINDIR-}" ] || skip "on other servers the output is another"
}

@test "the README's first use works as written" {
    own_server
    "$tools/docs_test" "$root/README.md"
}

@test "the page about migrations shows what happens" {
    own_server
    "$tools/docs_test" "$root/docs/migrations.md"
}

@test "the guide for database administrators shows what happens" {
    own_server
    "$tools/docs_test" "$root/docs/guide-dba.md"
}

@test "the guide for deployments shows what happens" {
    own_server
    command -v git >/dev/null || skip "git is not installed"
    "$tools/docs_test" "$root/docs/guide-deploy.md"
    if command -v systemd-analyze >/dev/null; then
        sed "s,/usr/local/bin/pgmigrate,$TEST_BUILD/pgmigrate," shop-migrate.service >try.service
        systemd-analyze verify "$PWD/try.service"
    fi
}

@test "the guide for the night shift shows what happens" {
    own_server
    "$tools/docs_test" "$root/docs/guide-incident.md"
}

@test "the README has the program's exit statuses" {
    pgmigrate help | sed -n '/^Exit status/,/^$/p' >table
    grep -oE '^ +[0-9]+  [a-z]+' table >codes
    [ "$(wc -l <codes)" -gt 10 ]
    while read -r code name; do
        case $name in interrupted | terminated) name=signal code='130, 143' ;; esac
        grep -qF "| $code | $name |" "$root/README.md" || {
            echo "the README lacks $code $name" >&2
            return 1
        }
    done <codes
}

@test "what the documents link to is there" {
    cd "$root"
    for document in README.md CONTRIBUTING.md docs/*.md docs/decisions/*.md; do
        while read -r target; do
            case $target in http*) continue ;; esac
            file=$(dirname "$document")/${target%%#*}
            [ "$target" != "${target#\#}" ] && file=$document
            [ -e "$file" ] || { echo "$document: no $target" >&2; return 1; }
            case $target in
                *'#'*)
                    sed -n 's/^##* //p' "$file" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-' | grep -qx -- "${target#*#}" || {
                        echo "$document: no heading $target" >&2
                        return 1
                    }
                    ;;
            esac
        done < <(grep -oE '\]\([^)]+\)' "$document" | sed 's/^](//; s/)$//')
    done
}

@test "the documents' tester sees what differs" {
    printf '```console\n$ echo a  1 ms\na 2 ms\n$ printf "x\\ny\\nz\\n"\nx\n...\nz\n$ false\n$ echo $?\n1\n```\n' >good.md
    "$tools/docs_test" good.md
    printf '```console\n$ echo a\nb\n```\n' >other.md
    run ! "$tools/docs_test" other.md
    printf '```console\n$ false\n```\n' >failing.md
    run ! "$tools/docs_test" failing.md
    printf '```console\n$ true\n$ echo $?\n1\n```\n' >status.md
    run ! "$tools/docs_test" status.md
    printf '<!-- run: false -->\n' >hidden.md
    run ! "$tools/docs_test" hidden.md
}
