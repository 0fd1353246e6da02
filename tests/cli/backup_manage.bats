#!/usr/bin/env bats
# SPDX-License-Identifier: PostgreSQL
#
# What is done with backups once they are there.
load helpers

setup()
{
    test_setup
    export PGMIGRATE_REPOSITORY=$BATS_TEST_TMPDIR/backups
    psql_value "create table item (id int primary key, name text); insert into item select g, 'item ' || g from generate_series(1, 1000) g"
}

# Take one; its id is in $id.
take()
{
    run --separate-stderr pgmigrate backup create --json "$@"
    # shellcheck disable=SC2154 # of bats
    assert_status 0
    id=$(jq -r .id <<<"$output")
}

@test "a repository without backups is listed as empty, and a monitor is told" {
    run --separate-stderr pgmigrate backup list --json
    [ "$status" = 0 ]
    [ "$(jq -c .backups <<<"$output")" = '[]' ]
    run pgmigrate backup list --older-than 26h
    [ "$status" = 3 ]
    run_pgmigrate backup list --older-than 26h --json
    assert_equal "$(json '.problems[]')" "there is no good backup"
    [ ! -e "$PGMIGRATE_REPOSITORY" ]
}

# Every command that asks what is there, with the error that all of them have to end with.
assert_unreachable() # ERROR
{
    local command
    for command in "list" "list --metrics backups.prom" "show latest" "verify" "test" "keep latest --reason x" \
        "prune --confirm" "gc" "reindex" "create"; do
        # shellcheck disable=SC2086 # words
        run_program without_rights pgmigrate backup $command
        assert_status 1
        assert_stderr "$1"
        refute_stderr "there is no"
    done
    [ ! -e backups.prom ]
    run_program without_rights pgmigrate backup list --json
    assert_equal "$(json '[.ok, .exit_code, .error.code, .backups] | tostring')" '[false,1,"failed",null]'
    run_program without_rights pgmigrate restore "$id" --to restored --dry-run
    assert_status 1
    assert_stderr "$1"
    run_program without_rights pgmigrate doctor
    assert_output "$1"
}

@test "a repository that may not be reached is not taken for an empty one" {
    mkdir above
    start_own_cluster # whose socket may be reached by who has no rights
    [ "$(id -u)" != 0 ] || chmod 711 "$(realpath "$TEST_OWN_CLUSTER/server")"
    export PGMIGRATE_REPOSITORY=$PWD/above/backups
    take
    cp -r above/backups moved
    chmod 000 above
    assert_unreachable "\"$PGMIGRATE_REPOSITORY\": Permission denied"
    run_program without_rights pgmigrate backup verify "$PGMIGRATE_REPOSITORY/$id.tar"
    assert_status 1
    assert_stderr "could not look at \"$PGMIGRATE_REPOSITORY/$id.tar\": Permission denied"
    # Named by its path, an archive needs no repository.
    run_program without_rights pgmigrate backup verify "moved/$id.tar"
    assert_status 0
    chmod 700 above
    # What may be listed and not searched has names, and none that can be looked at.
    chmod 600 above/backups
    assert_unreachable "Permission denied"
    chmod 700 above/backups
    run_program without_rights pgmigrate backup list
    assert_status 0
    assert_output "$id"
}

@test "backups are listed newest first, with what monitors ask for" {
    take --tag first
    first=$id
    take
    run --separate-stderr pgmigrate backup list --json --older-than 1h --metrics backups.prom
    [ "$status" = 0 ]
    [ "$(jq -r '.backups | map(.id) | join(" ")' <<<"$output")" = "$id $first" ]
    [ "$(jq -r '.backups[1].tag' <<<"$output")" = first ]
    [ "$(jq -r '.backups[0] | has("taken_at") and has("bytes") and has("kept")' <<<"$output")" = true ]
    grep -q "^pgmigrate_backup_last_success_timestamp_seconds{database=\"$TEST_DATABASE\",system=\"[0-9]*\"} [0-9]" backups.prom
    grep -q '^pgmigrate_backup_last_tested_timestamp_seconds{.*} 0$' backups.prom
    run pgmigrate backup list --older-than 0ms
    [ "$status" = 3 ]
    [[ $output == *"the newest good backup of database \"$TEST_DATABASE\" is"* ]]
    run_pgmigrate backup list --older-than 0ms --json
    assert_status 3
    [[ $(json '.problems[]') == "the newest good backup of database \"$TEST_DATABASE\" is "*" old" ]]
    assert_equal "$(json .error.message)" "a database has no good backup that is new enough"
    run pgmigrate backup list --of nobody
    [ "$status" = 0 ]
    [[ $output != *"$id"* ]]
}

@test "show tells everything of one" {
    take
    run --separate-stderr pgmigrate backup show "$id" --json
    [ "$status" = 0 ]
    [ "$(jq -r .rows <<<"$output")" = 1000 ]
    [ "$(jq -r .sha256 <<<"$output")" = "$(sha256sum "$PGMIGRATE_REPOSITORY/$id.tar" | cut -d ' ' -f 1)" ]
    run pgmigrate backup show latest
    [ "$status" = 0 ]
    [[ $output == *"1 tables, 1000 rows"* ]]
    (cd "$PGMIGRATE_REPOSITORY" && sha256sum -c "$id.tar.sha256")
    run pgmigrate backup show nothing
    [ "$status" = 9 ]
}

@test "without a thread nothing is looked at, and nothing is called whole" {
    take
    for jobs in 0 65; do
        for command in "backup verify" "backup verify --decode" "backup test"; do
            # shellcheck disable=SC2086 # words
            run_pgmigrate $command latest -j "$jobs"
            assert_status 2
            assert_stderr '"jobs" must be from 1 to 64'
        done
    done
}

@test "verify marks what is whole and names what is damaged" {
    take
    run --separate-stderr pgmigrate backup verify --decode --json
    [ "$status" = 0 ]
    [ "$(jq -c '[.result, .problems]' <<<"$output")" = '["ok",[]]' ]
    [ "$(pgmigrate backup show "$id" --json | jq -r .verified_how)" = decode ]
    printf x | dd of="$PGMIGRATE_REPOSITORY/$id.tar" bs=1 seek=513 conv=notrunc status=none
    run --separate-stderr pgmigrate backup verify "$id" --json
    [ "$status" = 3 ]
    [ "$(jq -r '.result + " " + (.problems | map(.member) | join(" "))' <<<"$output")" = "corrupt README.txt" ]
}

@test "what verifying found damaged is none to count on, and none to be pruned" {
    take
    good=$id
    take
    printf X | dd of="$PGMIGRATE_REPOSITORY/$id.tar" bs=1 seek=9000 conv=notrunc status=none
    run_pgmigrate backup verify
    assert_status 3
    run_pgmigrate backup list --json
    assert_equal "$(json '.backups | map("\(.damaged) \(.verified_at)") | join(", ")')" "true null, false $(json '.backups[1].verified_at')"
    run_pgmigrate backup list
    assert_output damaged
    run_pgmigrate backup verify --json
    assert_status 0
    assert_equal "$(json .id)" "$good"
    run_pgmigrate backup prune --keep-last 1 --confirm
    assert_status 0
    [ -e "$PGMIGRATE_REPOSITORY/$good.tar" ]
    run_pgmigrate restore latest --to x --dry-run --json
    assert_equal "$(json .id)" "$good"
    assert_stderr "backup $id is newer, but was found damaged"
    rm "$PGMIGRATE_REPOSITORY/$good".*
    run_pgmigrate backup list --older-than 1h
    assert_status 3
    assert_stderr "there is no good backup"
}

@test "a newer backup whose archive is damaged is told by all that pass it over, and verify names the damage" {
    take
    good=$id
    take
    truncate -s -600 "$PGMIGRATE_REPOSITORY/$id.tar"
    run_pgmigrate restore latest --to x --dry-run --json
    assert_equal "$(json .id)" "$good"
    assert_stderr "backup $id is newer, but damaged: "
    run_pgmigrate restore --before-time 2999-01-01T00:00:00Z --to x --dry-run
    assert_stderr "backup $id is newer, but damaged: "
    run_pgmigrate restore --before-time "$(pgmigrate backup show "$good" --json | jq -r .taken_at)" --to x --dry-run
    assert_status 0
    refute_stderr damaged
    run_pgmigrate backup show latest
    assert_output "$good"
    assert_stderr "backup $id is newer, but damaged: "
    run_pgmigrate doctor
    assert_status 3
    assert_output "backup $id is newer, but damaged: "
    run_pgmigrate restore "$id" --to x --dry-run
    assert_status 9
    run_pgmigrate backup verify --json
    assert_status 3
    assert_equal "$(json '.id + " " + .problems[0].member')" "$id archive"
    run_pgmigrate backup verify "$id" --json
    assert_status 3
    run_pgmigrate backup verify --json
    assert_status 0
    assert_equal "$(json .id)" "$good"
    assert_stderr "backup $id is newer, but damaged: "
}

@test "where only damaged backups are left, the error says so" {
    take
    truncate -s -600 "$PGMIGRATE_REPOSITORY/$id.tar"
    run_pgmigrate restore latest --to x --dry-run
    assert_status 9
    assert_stderr "1 in it cannot be used"
}

@test "what is no file, an age without unit and a tag with control characters are refused" {
    mkfifo pipe.tar
    run_pgmigrate backup verify ./pipe.tar
    assert_status 3
    assert_output 'archive: "./pipe.tar" is not a file'
    run_pgmigrate backup prune --keep-within 30
    assert_status 2
    assert_stderr '"--keep-within" wants an age with its unit such as 90min, 26h or 7d, not "30"'
    take
    run_pgmigrate backup list --older-than 26
    assert_status 2
    assert_equal "$output" ""
    run_pgmigrate backup create --tag $'a\nb'
    assert_status 2
    assert_stderr "a tag is one line of text"
}

@test "a read-only repository can be listed, shown and verified" {
    [ "$(id -u)" != 0 ] || skip "root writes everywhere"
    take
    chmod -R a-w "$PGMIGRATE_REPOSITORY"
    run pgmigrate backup list
    [ "$status" = 0 ]
    run pgmigrate backup verify
    [ "$status" = 0 ]
    [[ $output == *"could not note"* ]]
    run_pgmigrate doctor
    assert_status 3
    assert_output "cannot write to $PGMIGRATE_REPOSITORY: Permission denied"
    chmod -R u+w "$PGMIGRATE_REPOSITORY"
}

@test "prune shows its reasons, removes only when told, and never what is kept" {
    take
    oldest=$id
    take
    middle=$id
    take
    run pgmigrate backup keep "$oldest" --reason audit
    [ "$status" = 0 ]
    run pgmigrate backup prune --keep-last 1
    [ "$status" = 0 ]
    [[ $output == *"keep"*"$id"*"last 1"* ]]
    [[ $output == *"remove"*"$middle"*"no rule keeps it"* ]]
    [[ $output == *"marked: audit"* ]]
    [ -e "$PGMIGRATE_REPOSITORY/$middle.json" ]
    run --separate-stderr pgmigrate backup prune --keep-last 1 --confirm --json
    [ "$status" = 0 ]
    [ "$(jq -c '[.removed, .confirmed]' <<<"$output")" = '[1,true]' ]
    [ ! -e "$PGMIGRATE_REPOSITORY/$middle.json" ]
    [ ! -e "$PGMIGRATE_REPOSITORY/$middle.tar" ]
    [ -e "$PGMIGRATE_REPOSITORY/$oldest.tar" ]
    pgmigrate backup unkeep "$oldest"
    run pgmigrate backup prune --keep-last 1 --confirm
    [ "$status" = 0 ]
    [ ! -e "$PGMIGRATE_REPOSITORY/$oldest.tar" ]
    [ -e "$PGMIGRATE_REPOSITORY/$id.tar" ]
    run pgmigrate backup prune
    [ "$status" = 2 ]
}

# Give the record of a backup another time, with its seal.
date_backup() # ID TIME
{
    local file=$PGMIGRATE_REPOSITORY/$1.json record seal
    record=$(jq -cS --arg time "$2" 'del(.record_sha256) | .taken_at = $time' "$file")
    seal=$(printf '%s' "$record" | sha256sum | cut -d ' ' -f 1)
    jq --arg seal "$seal" '.record_sha256 = $seal' <<<"$record" >"$file"
}

@test "a backup dated in the future is neither the latest nor a sign that one was taken" {
    take
    ahead=$id
    take
    date_backup "$ahead" 2999-01-01T00:00:00Z
    run_pgmigrate backup show latest --json
    assert_status 0
    assert_equal "$(json .id)" "$id"
    assert_stderr "backup $ahead is passed over: its time, 2999-01-01T00:00:00Z, has not come yet"
    run_pgmigrate doctor --max-age 26h
    assert_output "the newest is "
    assert_output "backup $ahead is passed over"
    run_pgmigrate backup prune --keep-within 1h
    assert_status 0
    assert_output "its time has not come yet"
    run_pgmigrate backup prune --keep-within 1h --confirm
    [ -e "$PGMIGRATE_REPOSITORY/$id.tar" ]
    [ -e "$PGMIGRATE_REPOSITORY/$ahead.tar" ]

    date_backup "$id" 2020-01-01T00:00:00Z
    run_pgmigrate backup list --older-than 26h
    assert_status 3
    assert_stderr "the newest good backup of database \"$TEST_DATABASE\" is "

    # Where there is none but those, the clock here may be wrong.
    date_backup "$id" 2998-01-01T00:00:00Z
    run_pgmigrate backup list --older-than 26h
    assert_status 3
    assert_stderr "is dated in the future: 2999-01-01T00:00:00Z"
    run_pgmigrate doctor --max-age 26h
    assert_output "is dated in the future: 2999-01-01T00:00:00Z"
    run_pgmigrate backup keep latest --reason x
    assert_status 0
    assert_equal "$(jq .kept "$PGMIGRATE_REPOSITORY/$ahead.json")" true

    # Two clocks are never quite the same.
    date_backup "$id" "$(date -u -d '+1 hour' +%FT%TZ)"
    run_pgmigrate backup list --older-than 26h
    assert_status 0
    run_pgmigrate doctor --max-age 26h
    assert_output "the newest is 0 ms old"
}

@test "nothing is pruned after a run that was killed; gc cleans up and touches nothing else" {
    take
    touch "$PGMIGRATE_REPOSITORY/29990101T000000Z-x-00000a.tar.part" "$PGMIGRATE_REPOSITORY/notes.txt"
    run pgmigrate backup prune --keep-last 1 --confirm
    [ "$status" = 10 ]
    run pgmigrate backup gc --dry-run
    [ "$status" = 0 ]
    [ -e "$PGMIGRATE_REPOSITORY/29990101T000000Z-x-00000a.tar.part" ]
    run pgmigrate backup gc
    [ "$status" = 0 ]
    [ ! -e "$PGMIGRATE_REPOSITORY/29990101T000000Z-x-00000a.tar.part" ]
    [ -e "$PGMIGRATE_REPOSITORY/notes.txt" ]
    [ -e "$PGMIGRATE_REPOSITORY/$id.tar" ]
    run pgmigrate backup prune --keep-last 1 --confirm
    [ "$status" = 0 ]
    run pgmigrate backup reindex
    [ "$status" = 0 ]
    [[ $output == *"1 backup in the catalog"* ]]
}

@test "nothing is pruned after a run that failed, unless that is said; the newest good one stays" {
    take
    oldest=$id
    take
    printf '%s\ndisk full\n' "$TEST_DATABASE" >"$PGMIGRATE_REPOSITORY/29990101T000000Z-x-00000a.failed"
    run_pgmigrate backup prune --keep-last 1 --confirm
    assert_status 10
    assert_stderr "--despite-failure"
    [ -e "$PGMIGRATE_REPOSITORY/$oldest.tar" ]
    run_pgmigrate backup prune --keep-last 1 --confirm --despite-failure
    assert_status 0
    assert_stderr "warning: the latest backup failed"
    assert_stderr "disk full"
    [ ! -e "$PGMIGRATE_REPOSITORY/$oldest.tar" ]
    [ -e "$PGMIGRATE_REPOSITORY/$id.tar" ]
    run_pgmigrate backup prune --keep-last 1 --confirm
    assert_status 10
}

# SIGKILL of that command at a point.
kill_at() # POINT COMMAND...
{
    local point=$1
    shift
    PGMIGRATE_TEST_STOP=$point run "$TEST_BUILD/points/pgmigrate" "$@"
    [ "$status" = 137 ]
}

@test "a run killed in mid-commit leaves nothing that is listed, or a whole backup" {
    take
    for point in archive-written archive-renamed sidecar-written; do
        kill_at "$point" backup create
        [ "$(pgmigrate backup list --json | jq -r '.backups | map(.id) | join(" ")')" = "$id" ]
        [ "$(pgmigrate backup gc --json | jq '.removed | length > 0')" = true ]
        [ "$(find "$PGMIGRATE_REPOSITORY" -name '20*' ! -name "$id.*" | wc -l)" = 0 ]
    done
    kill_at record-written backup create
    run pgmigrate backup verify
    [ "$status" = 0 ]
    [ "$(pgmigrate backup list --json | jq '.backups | length')" = 2 ]
    [ "$(pgmigrate backup gc --json | jq -c .removed)" = '[]' ]
    take
}

@test "a whole archive whose record was not copied is kept by gc and named; a cut one is debris" {
    take
    local archive=$PGMIGRATE_REPOSITORY/$id.tar
    mv "$PGMIGRATE_REPOSITORY/$id.json" record
    run_pgmigrate backup gc --json
    assert_status 0
    assert_equal "$(json '[.removed, .kept] | tostring')" "[[],[\"$archive\"]]"
    assert_stderr "kB) is a whole archive without its record"
    assert_stderr "restore it with the restore.sh in it, or remove it by hand"
    assert_equal "$(pgmigrate backup list --json | jq -c .backups)" '[]'
    cp record "$PGMIGRATE_REPOSITORY/$id.json"
    run_pgmigrate backup verify
    assert_status 0
    rm "$PGMIGRATE_REPOSITORY/$id.json"
    truncate -s -512 "$archive"
    run_pgmigrate backup gc --json
    assert_equal "$(json '.kept | length'),$(json '.removed | length')" 0,2
    [ ! -e "$archive" ]
}

@test "a prune or reindex that is killed leaves no half backup" {
    take
    oldest=$id
    take
    kill_at record-removed backup prune --keep-last 1 --confirm
    [ "$(pgmigrate backup list --json | jq -r '.backups | map(.id) | join(" ")')" = "$id" ]
    [ -e "$PGMIGRATE_REPOSITORY/$oldest.tar" ]
    pgmigrate backup gc
    [ ! -e "$PGMIGRATE_REPOSITORY/$oldest.tar" ]
    kill_at catalog-removed backup reindex
    [ "$(pgmigrate backup list --json | jq -r '.backups | map(.id) | join(" ")')" = "$id" ]
}
