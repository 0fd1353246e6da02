# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# For the files that cut connections and kill servers: `load faults` after helpers.

# A table whose transactions wait at COMMIT until go, or for SECONDS, for being cut off there; not where they are only tried.
slow_commit() # [SECONDS]
{
    psql_value "create table slow (id int); create table go ();
        create function slow() returns trigger language plpgsql as
            'begin
                for i in 1 .. ${1-60} * 20 loop
                    exit when exists (select from go) or current_query() !~* ''^commit'';
                    perform pg_sleep(0.05);
                end loop;
                return null;
             end';
        create constraint trigger slow after insert on slow deferrable initially deferred
            for each row execute function slow()"
}

go()
{
    psql_value "insert into go default values"
}

committing()
{
    psql_true "select count(*) > 0 from pg_stat_activity where application_name = 'pgmigrate'
        and datname = current_database() and query ~* '^commit' and state = 'active'"
}

not_committing()
{
    ! committing
}

terminate()
{
    psql_value "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where application_name = 'pgmigrate' and datname = current_database()"
}

# A listener that can cut its connections: CUT_URL goes through it.
start_cutter()
{
    local socket
    socket=$(printf '%s\n' "$TEST_SERVER_URL" | sed 's/.*[?&]host=\([^&]*\).*/\1/; s/%2[Cc]/,/g')
    CUTTER_FOLDER=$(mktemp -d /tmp/pgmigrate-cutter.XXXXXX)
    socat "UNIX-LISTEN:$CUTTER_FOLDER/.s.PGSQL.5432,fork" "UNIX-CONNECT:$socket/.s.PGSQL.5432" 3>&- &
    CUTTER_PID=$!
    export CUT_URL="postgresql://postgres@/$TEST_DATABASE?host=$CUTTER_FOLDER"
    wait_until test -S "$CUTTER_FOLDER/.s.PGSQL.5432"
}

# Let the COMMIT that waits succeed, and cut its answer off: the listener stands still meanwhile, because a server
# that has noticed a closed connection would cancel it.
cut_the_answer()
{
    pkill -STOP -P "$CUTTER_PID"
    go
    wait_until not_committing
    cut_connections
}

cut_connections()
{
    pkill -KILL -P "$CUTTER_PID"
}

# Until show_server, nobody finds the way to the server through the listener.
hide_server()
{
    mv "$CUTTER_FOLDER/.s.PGSQL.5432" "$CUTTER_FOLDER/hidden"
}

show_server()
{
    mv "$CUTTER_FOLDER/hidden" "$CUTTER_FOLDER/.s.PGSQL.5432"
}

teardown()
{
    if [ -n "${CUTTER_PID-}" ]; then
        pkill -KILL -P "$CUTTER_PID" || true
        kill "$CUTTER_PID" || true
        rm -rf "$CUTTER_FOLDER"
    fi
    test_teardown
}
