# SPDX-License-Identifier: PostgreSQL
#
# The server that is measured against: a cluster of its own with fsync on, thrown away afterwards. It listens on
# 127.0.0.1, as not every migration tool can use a Unix socket (backups use one), and asks for a password, as anybody on this machine
# could connect there. (md5, because computing SCRAM keys would be a good part of a run with nothing to do.)
#
# Read by run, with which it shares its variables.
# shellcheck shell=bash disable=SC2034,SC2154

# Run a program of the server, from $bindir, as a user PostgreSQL accepts.
as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid="$server_user" --regid="$server_user" --clear-groups "$@"
    else
        "$@"
    fi
}

server_programs() {
    local newest

    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb /usr/local/pgsql/bin/initdb /opt/*/bin/initdb | sort -V |
        while read -r program; do [ -x "$program" ] && dirname "$program"; done | tail -n 1)
    echo "${PGMIGRATE_PG_BINDIR:-${newest:-$(dirname "$(type -P initdb || echo /initdb)")}}"
}

server_start() {
    local attempt

    server_user=postgres
    data=$work/data
    sockets=$work/sockets
    mkdir -m 700 "$data" "$sockets"
    if [ "$(id -u)" = 0 ]; then
        id -u "$server_user" >/dev/null 2>&1 || server_user=nobody
        chmod 711 "$work"
        chown "$server_user" "$data" "$sockets"
    fi
    export PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres PGSSLMODE=disable PGPASSWORD
    PGPASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

    (umask 077 && echo "$PGPASSWORD" >"$work/password")
    [ "$(id -u)" != 0 ] || chown "$server_user" "$work/password"
    as_server_user "$bindir/initdb" -D "$data" -U postgres -A md5 --pwfile="$work/password" -E UTF8 --locale=C \
        >"$work/initdb.log" 2>&1 || fail "initdb failed" "$work/initdb.log"
    cat >>"$data/postgresql.conf" <<-END
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '$sockets'
		fsync = on
		synchronous_commit = on
		shared_buffers = 1GB
		min_wal_size = 1GB
		max_wal_size = 16GB
		checkpoint_timeout = 1h
		autovacuum = off
	END
    for attempt in 1 2 3 4 5; do
        export PGPORT=$((20000 + RANDOM % 12000))
        if as_server_user "$bindir/pg_ctl" -D "$data" -o "-p $PGPORT" -l "$data/log" -w start >"$work/start.log" 2>&1; then
            postmaster=$(head -n 1 "$data/postmaster.pid")
            near=$PGPORT
            return
        fi
    done
    fail "the server did not start ($attempt attempts)" "$data/log"
}

server_stop() {
    if [ -n "${postmaster:-}" ]; then
        as_server_user "$bindir/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1
    fi
}

# A fresh database whose catalog cache file is there already, so that no contender's first connection writes it.
database_create() {
    psql -X -q -c "CREATE DATABASE \"$1\" TEMPLATE template0" postgres && psql -X -q -At -c 'SELECT 1' "$1" >/dev/null
}

database_drop() {
    psql -X -q -c "DROP DATABASE \"$1\" WITH (FORCE)" postgres
}
