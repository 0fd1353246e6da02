# SPDX-License-Identifier: PostgreSQL
#
# Who runs. A function contender_NAME sets command to what brings the database $PGDATABASE up to date with the
# folder $set; for a run with nothing to do $noop is set. It runs in a subshell and may change the environment, which
# holds PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSSLMODE, PGDATABASE and DATABASE_URL. It fails when the tool is missing.
#
# Read by run, with which it shares its variables.
# shellcheck shell=bash disable=SC2034,SC2154,SC2016

contender_pgmigrate() {
    [ -x "$pgmigrate" ] && command=("$pgmigrate" apply -m "$set/native")
}

contender_pgmigrate-batch() {
    [ -x "$pgmigrate" ] && "$pgmigrate" apply --help | grep -q -e --batch &&
        command=("$pgmigrate" apply --batch 32 -m "$set/native")
}

contender_floor() {
    command=("$programs/floor" ${noop:+--noop} "$set/native")
}

contender_floor-async() {
    command=("$programs/floor" --async "$set/native")
}

contender_floor-16-files() {
    command=("$programs/floor" --files 16 "$set/native")
}

contender_floor-whole-text() {
    command=("$programs/floor" --whole-text "$set/native")
}

psql=(psql -X -q -v ON_ERROR_STOP=1)

contender_select-1() {
    command=("${psql[@]}" -At -c 'SELECT 1')
}

# The deployment checklist's loop: one psql and one transaction for each file, nothing recorded.
contender_psql-loop() {
    command=(sh -c 'folder=$1; shift
        for file in "$folder"/*.sql; do
            case $file in *_rollback.sql) continue ;; esac
            "$@" -1 -f "$file" || exit 1
        done' sh "$set/native" "${psql[@]}")
}

# One psql that reads everything, with a transaction and a history row for each file.
contender_psql-once() {
    local script=$set/once.sql file

    if [ ! -e "$script" ]; then
        {
            echo "CREATE TABLE psql_history (version text PRIMARY KEY, applied_at timestamptz DEFAULT now());"
            for file in "$set"/native/*.sql; do
                [[ $file == *_rollback.sql ]] && continue
                printf "BEGIN;\n\\\\i %s\nINSERT INTO psql_history VALUES ('%s');\nCOMMIT;\n" "$file" "$(basename "$file" .sql)"
            done
        } >"$script"
    fi
    command=("${psql[@]}" -f "$script")
}

# The program itself, not the launcher written in JavaScript that npm puts in front of it.
contender_dbmate() {
    local binary=("$peers"/node_modules/@dbmate/*/bin/dbmate)

    [ -x "${binary[0]}" ] && command=("${binary[0]}" --no-dump-schema -d "$set/dbmate" up)
}

node_pg_migrate() {
    local script=$peers/node_modules/node-pg-migrate/bin/node-pg-migrate.js

    [ -e "$script" ] && command=(node "$script" up -m "$set/node" "$@")
}

contender_node-pg-migrate() {
    node_pg_migrate
}

contender_node-pg-migrate-each() {
    node_pg_migrate --no-single-transaction
}

contender_sqitch() {
    type -P sqitch >/dev/null || return
    cd "$set/sqitch" || return
    printf '[core]\n\tengine = pg\n[user]\n\tname = Bench\n\temail = bench@example.com\n' >sqitch.conf
    command=(sqitch deploy "db:pg://$PGUSER@$PGHOST:$PGPORT/$PGDATABASE")
}
