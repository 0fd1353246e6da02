# SPDX-License-Identifier: PostgreSQL
#
# Backups and restores: the databases, who runs, and how. A function backup_NAME sets command to what writes a backup of
# the database $PGDATABASE into the folder $out; restore_NAME to what makes $PGDATABASE of the backups in $backups;
# verify_NAME to what looks whether the one in $backups is whole. They fail when a tool is missing.
#
# Read by run, with which it shares its variables.
# shellcheck shell=bash disable=SC2034,SC2154,SC2016

backup_contenders="pgmigrate pgmigrate-1 floor floor-1 pg_dump-Fc pg_dump-Fd-2 pg_dump-Fd-2-Z1 pipe-zstd pipe-zstd-sha256 pipe-zstd-2 pgbackrest"
restore_contenders="pgmigrate pg_restore-2 pg_restore-2-analyze pipe-psql"
verify_contenders="pgmigrate pgmigrate-decode sha256sum zstd-t"

# ---- the databases ----

source_create() # mixed | giant | pgbench
{
    local database=$1 started=$SECONDS

    psql -X -q -At -c "SELECT 1 FROM pg_database WHERE datname = '$database'" postgres | grep -q 1 && return
    psql -X -q -c "CREATE DATABASE $database TEMPLATE template0" postgres || fail "could not create a database"
    if [ "$database" = pgbench ]; then
        PGDATABASE=pgbench "$bindir/pgbench" -i -q -s "$(awk "BEGIN { s = int(100 * $scale); print s < 1 ? 1 : s }")" >"$work/log" 2>&1
    else
        nice psql -X -q -v ON_ERROR_STOP=1 -v "scale=$scale" -f "$here/data/$database.sql" "$database" >"$work/log" 2>&1
    fi || fail "could not fill $database" "$work/log"
    psql -X -q -c CHECKPOINT postgres
    say "$database: $(psql -X -q -At -c 'SELECT pg_size_pretty(pg_database_size(current_database()))' "$database"), made in $((SECONDS - started)) s"
}

# What must be there after a restore: rows of each table, indexes, constraints, large objects.
source_fingerprint() # DATABASE
{
    psql -X -q -At -d "$1" <<-'END'
		SELECT format('SELECT %L, count(*) FROM ONLY %I.%I', c.oid::regclass, nspname, relname)
		  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		 WHERE relkind IN ('r', 'm') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' ORDER BY 1 \gexec
		SELECT (SELECT count(*) FROM pg_index), (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_largeobject_metadata),
		       (SELECT count(*) FROM pg_policy);
	END
}

# ---- who runs ----

backup_pgmigrate() {
    [ -x "$pgmigrate" ] && command=("$pgmigrate" backup create -q -j "${1:-2}" --repository "$out")
}

backup_pgmigrate-1() {
    backup_pgmigrate 1
}

backup_floor() {
    command=("$programs/floor_backup" "${1:-2}" "$out")
}

backup_floor-1() {
    backup_floor 1
}

backup_pg_dump-Fc() {
    command=("$bindir/pg_dump" -Fc -f "$out/dump")
}

backup_pg_dump-Fd-2() {
    command=("$bindir/pg_dump" -Fd -j 2 -f "$out/dump" "$@")
}

backup_pg_dump-Fd-2-Z1() {
    backup_pg_dump-Fd-2 -Z 1
}

pipe() {
    type -P zstd >/dev/null && command=(bash -o pipefail -c "$1" bash "$out")
}

backup_pipe-zstd() {
    pipe 'pg_dump -Fp | zstd -q -3 -T2 -o "$1/dump.zst"'
}

backup_pipe-zstd-sha256() {
    pipe 'pg_dump -Fp | zstd -q -3 -T2 | tee "$1/dump.zst" | sha256sum >"$1/dump.sha256"'
}

# For its size alone.
backup_pipe-zstd-2() {
    pipe 'pg_dump -Fp | zstd -q -2 -o "$1/dump.zst"'
}

# It copies the whole cluster's files, all of the benchmark's databases that are there.
backup_pgbackrest() {
    type -P pgbackrest >/dev/null || return
    cat >"$out/pgbackrest.conf" <<-END
		[global]
		repo1-path=$out/repository
		log-path=$out
		lock-path=$out/lock
		compress-type=zst
		process-max=2
		start-fast=y
		archive-check=n
		archive-copy=n
		[bench]
		pg1-path=$data
		pg1-port=$PGPORT
		pg1-socket-path=$sockets
		pg1-user=postgres
	END
    chmod 644 "$out/pgbackrest.conf"
    [ "$(id -u)" != 0 ] || chown "$server_user" "$out"
    as_server_user env PGPASSWORD="$PGPASSWORD" pgbackrest --config="$out/pgbackrest.conf" --stanza=bench stanza-create \
        --no-online >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
    command=(pgbackrest --config="$out/pgbackrest.conf" --stanza=bench backup --type=full)
    [ "$(id -u)" != 0 ] || command=(setpriv --reuid="$server_user" --regid="$server_user" --clear-groups "${command[@]}")
}

restore_pgmigrate() {
    [ -x "$pgmigrate" ] && command=("$pgmigrate" restore "$backups"/pgmigrate/*.tar -q -y -j 2 --to "$PGDATABASE" -d
        "postgres://$PGUSER:$PGPASSWORD@/postgres?host=$PGHOST&port=$PGPORT")
}

restore_pg_restore-2() {
    psql -X -q -c "CREATE DATABASE \"$PGDATABASE\" TEMPLATE template0" postgres &&
        command=("$bindir/pg_restore" -e -j 2 -d "$PGDATABASE" "$backups/pg_dump-Fd-2/dump")
}

# Without statistics nobody would open the database to its users.
restore_pg_restore-2-analyze() {
    psql -X -q -c "CREATE DATABASE \"$PGDATABASE\" TEMPLATE template0" postgres &&
        command=(bash -c '"$1/pg_restore" -e -j 2 -d "$2" "$3" && "$1/vacuumdb" -q -Z -j 2 -d "$2"' bash "$bindir" "$PGDATABASE"
            "$backups/pg_dump-Fd-2/dump")
}

restore_pipe-psql() {
    psql -X -q -c "CREATE DATABASE \"$PGDATABASE\" TEMPLATE template0" postgres &&
        command=(bash -o pipefail -c 'zstd -dcq "$1" | psql -X -q -v ON_ERROR_STOP=1' bash "$backups/pipe-zstd/dump.zst")
}

verify_pgmigrate() {
    [ -x "$pgmigrate" ] && command=("$pgmigrate" backup verify latest -q --repository "$backups/pgmigrate" "$@")
}

verify_pgmigrate-decode() {
    verify_pgmigrate --decode
}

verify_sha256sum() {
    command=(sh -c 'sha256sum "$1"/*.tar' sh "$backups/pgmigrate")
}

verify_zstd-t() {
    command=(zstd -qt "$backups/pipe-zstd/dump.zst")
}

# ---- how ----

backups_rounds() # CONTENDER
{
    local rounds=5

    case $1 in
    pg_dump-Fc | pg_dump-Fd-2 | pipe-psql) rounds=3 ;;
    pipe-zstd-2 | pgbackrest) rounds=1 ;;
    esac
    [ -z "$rounds_wanted" ] || [ "$rounds" -le "$rounds_wanted" ] || rounds=$rounds_wanted
    echo "$rounds"
}

# With a round number the result counts.
backups_run() # KIND CONTENDER ROUND
{
    local kind=$1 contender=$2 round=$3 status output

    (
        export PGPORT=$port PGHOST=$sockets HOME=$work/home
        export DATABASE_URL="postgres://$PGUSER:$PGPASSWORD@/$PGDATABASE?host=$PGHOST&port=$PGPORT"
        mkdir -p "$work/home" && cd "$work/home" || exit 1
        "${kind}_$contender" || exit 1
        output=/dev/null
        [ -z "$round" ] || output=$results_backups
        exec "$programs/measure" "$output" "$scenario"$'\t'"$contender"$'\t'"$round" "$work/log" \
            "$postmaster" "${command[@]}"
    )
    status=$?
    [ $status = 0 ] && return
    say "$contender failed in $scenario (exit status $status):"
    tail -n 20 "$work/log" >&2
    failures=$((failures + 1))
    return 1
}

backups_present() # KIND
{
    local contender names=${1}_contenders

    for contender in ${!names}; do
        [ -z "$contenders_wanted" ] || [[ " $contenders_wanted " == *" $contender "* ]] || continue
        if case $contender in
            pgmigrate*) [ -x "$pgmigrate" ] ;;
            pgbackrest) type -P pgbackrest >/dev/null ;;
            pipe* | zstd*) type -P zstd >/dev/null ;;
        esac then
            echo "$contender"
        else
            say "$contender is missing and left out"
        fi
    done
}

# The bytes that a contender's backup has on disk.
size_of() # FOLDER
{
    find "$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d\n", sum }'
}

backup_round() # ROUND
{
    local contender out=$work/out

    for contender in $present; do
        [ "${1:-1}" -le "$(backups_rounds "$contender")" ] || continue
        # The first round only fills the caches.
        [ -n "$1" ] || [[ $contender == floor* || $contender == pgmigrate ]] || continue
        rm -rf "$out" && mkdir -m 700 "$out"
        if PGDATABASE=$source backups_run backup "$contender" "$1" && [ -n "$1" ]; then
            printf '%s\t%s\t%s\n' "$scenario" "$contender" "$(size_of "$out")" >>"$sizes"
        fi
        rm -rf "$out"
    done
}

# One backup of each kind, to restore and to verify.
backups_prepare() {
    local contender out

    backups=$work/backups-$source
    [ ! -d "$backups" ] || return 0
    mkdir -m 700 "$backups"
    for contender in pgmigrate pg_dump-Fd-2 pipe-zstd; do
        out=$backups/$contender
        mkdir -m 700 "$out"
        PGDATABASE=$source backups_run backup "$contender" ''
    done
    size_of "$backups/pgmigrate" >"$backups/size"
}

restore_round() {
    local contender

    [ -n "$1" ] || return 0
    for contender in $present; do
        [ "$1" -le "$(backups_rounds "$contender")" ] || continue
        if PGDATABASE=restored backups_run restore "$contender" "$1" &&
            ! diff <(source_fingerprint "$source") <(source_fingerprint restored) >"$work/log"; then
            say "$contender made something else in $scenario:"
            head -n 20 "$work/log" >&2
            failures=$((failures + 1))
        fi
        psql -X -q -c 'DROP DATABASE IF EXISTS restored WITH (FORCE)' -c CHECKPOINT postgres
    done
}

verify_round() {
    local contender

    for contender in $present; do
        [ "${1:-1}" -le "$(backups_rounds "$contender")" ] || continue
        PGDATABASE=$source backups_run verify "$contender" "$1" && [ -n "$1" ] &&
            printf '%s\t%s\t%s\n' "$scenario" "$contender" "$(cat "$backups/size")" >>"$sizes"
    done
}

run_backups() # SCENARIO, such as backup-mixed
{
    local scenario=$1 kind=${1%%-*} source=${1#*-} port=$near backups='' present round

    say "$scenario"
    source_create "$source"
    [ "$kind" = backup ] || backups_prepare
    present=$(backups_present "$kind" | tr '\n' ' ')
    for round in '' $(seq 1 5); do
        "${kind}_round" "$round"
    done
}
