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
    "$tools/docs_test" "$root/docs/guide-deploy.md"
}

# The blocks of the guide for deployments that are files, in the current folder, beside a migration.
files_of_guide()
{
    awk '/^```.* file=/ { sub(/.* file=/, ""); file = $0; next } /^```/ { file = "" } file != "" { print >file }' \
        "$root/docs/guide-deploy.md"
    migration 001_a <<<'CREATE TABLE a (id int);'
    migration 001_a_rollback <<<'DROP TABLE a;'
    write_evidence rehearsal.json 1 true r1
    sed -i 's/^role = .*/role = postgres/' pgmigrate.conf
    export DATABASE_URL_PROD=$DATABASE_URL
}

@test "the guide's systemd unit is a valid one, and its command applies" {
    files_of_guide
    command=$(sed -n 's,^ExecStart=/usr/local/bin/,,p' shop-migrate.service)
    # shellcheck disable=SC2086 # words
    run env -u DATABASE_URL $command
    assert_status 0
    assert_output "1 of 1 applied"
    command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
    sed "s,/usr/local/bin/pgmigrate,$TEST_BUILD/pgmigrate," shop-migrate.service >try.service
    systemd-analyze verify "$PWD/try.service"
}

@test "the guide's Kubernetes job runs a command that applies, in time" {
    files_of_guide
    words=$(sed -n 's/^ *args: \[\(.*\)\]$/\1/p' job.yaml | tr -d ,)
    variable=$(sed -n 's/^ *- name: \([A-Z_]*\)$/\1/p' job.yaml)
    assert_equal "$variable" "$(sed -n 's/^database = env://p' pgmigrate.conf)"
    # shellcheck disable=SC2086 # words
    run env -u DATABASE_URL pgmigrate $words
    assert_status 0
    assert_output "1 of 1 applied"
    # Kubernetes must not end what still may wait for locks.
    minutes=$(sed -n '/production/,$s/^max_wait = \([0-9]*\)min$/\1/p' pgmigrate.conf)
    [ "$(sed -n 's/^ *activeDeadlineSeconds: \([0-9]*\).*/\1/p' job.yaml)" -gt $((minutes * 60)) ]
}

@test "the guide's image has the libraries that the program needs" {
    [ "$(. /etc/os-release && echo "$ID $VERSION_ID")" = "debian 12" ] || skip "the image is Debian 12"
    [ -z "${TEST_SANITIZED-}" ] || skip "the sanitizers' libraries are needed, too"
    # shellcheck disable=SC2046 # paths
    dpkg-query -S $(readelf -d "$TEST_BUILD/pgmigrate" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        while read -r library; do ldconfig -p | awk -v l="$library" '$1 == l { print $NF; exit }'; done |
        xargs -n 1 realpath) | sed 's/:.*//' | sort -u >needed
    [ "$(wc -l <needed)" -gt 4 ]
    while read -r package; do
        [ "$package" = libc6 ] || grep -q "^RUN.*no-install-recommends.* $package " "$root/docs/guide-deploy.md" || {
            echo "the image lacks $package" >&2
            return 1
        }
    done <needed
}

@test "the guide for the night shift shows what happens" {
    own_server
    "$tools/docs_test" "$root/docs/guide-incident.md"
}

@test "the guide to row-level security shows what happens" {
    "$tools/docs_test" "$root/docs/guide-rls.md"
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
