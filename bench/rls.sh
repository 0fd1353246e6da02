#!/bin/bash
# SPDX-License-Identifier: PostgreSQL
#
# bench/rls.sh [TABLES]: what verifying row-level security costs in a schema of 1,000 tables: all catalog checks, and the
# gate of apply for each migration: of those that change nothing it looks at, that make a table, and that replace a function.
# `make bench-rls`.
set -euo pipefail

tables=${1:-1000}
migrations=40
pgmigrate=$(cd "$(dirname "$0")/.." && pwd)/${BUILD:-build}/pgmigrate
work=$(mktemp -d "${TMPDIR:-/tmp}/pgmigrate-bench.XXXXXX")
chmod 711 "$work"
trap '"$pgmigrate" cluster stop --remove --folder "$work/cluster" >/dev/null; rm -rf "$work"' EXIT
cd "$work"
"$pgmigrate" cluster start --folder "$work/cluster" >/dev/null
DATABASE_URL=$("$pgmigrate" cluster url --folder "$work/cluster")
export DATABASE_URL

psql -Xq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" <<SQL
CREATE ROLE app;
CREATE SCHEMA shop;
CREATE PROCEDURE shop.make(name text) LANGUAGE plpgsql AS \$\$
BEGIN
    EXECUTE format('CREATE TABLE shop.%I (tenant_id int NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, a text, b text, c int,
                    at timestamptz, PRIMARY KEY (tenant_id, id))', name);
    EXECUTE format('ALTER TABLE shop.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON shop.%I USING (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::int)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON shop.%I TO app', name);
END\$\$;
DO \$\$ BEGIN FOR i IN 1..$tables LOOP CALL shop.make('table_' || i); END LOOP; END\$\$;
ANALYZE;
SQL
printf '[rls]\nroles = app\ntenant_setting = app.tenant\n' >pgmigrate.conf
for kind in rows table function; do
    mkdir "$kind"
    for i in $(seq 101 $((100 + migrations))); do
        case $kind in
        rows) echo "INSERT INTO shop.table_1 (tenant_id, a) VALUES (1, 'x');" ;;
        table) echo "CALL shop.make('new_$i');" ;;
        function) echo "CREATE OR REPLACE FUNCTION shop.total(int) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
                        AS 'SELECT \$1::bigint + $i';" ;;
        esac >"$kind/${i}_$kind.sql"
    done
done

milliseconds() # COMMAND…
{
    local began=${EPOCHREALTIME/./}
    "$@" >/dev/null || [ $? = 3 ] || return
    echo $(((${EPOCHREALTIME/./} - began) / 1000))
}

empty() # KIND: as before the migrations
{
    psql -Xq -d "$DATABASE_URL" -c "SET client_min_messages = error; DROP TABLE IF EXISTS public.history_$1, public.history_$1_log" \
        -c "DO \$\$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relname ~ '^new_' AND relkind = 'r' LOOP
            EXECUTE format('DROP TABLE %s', t); END LOOP; END\$\$"
}

apply() # KIND GATE [--to VERSION]
{
    empty "$1"
    milliseconds "$pgmigrate" apply -q -m "$1" --history-table "history_$1" --rollback-required=no --rls-gate="$2" "${@:3}"
}

rich()
{
    psql -Xq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" <<SQL
SET client_min_messages = error;
CREATE ROLE reader; CREATE ROLE writer; CREATE ROLE member LOGIN; GRANT reader TO member;
CREATE ROLE owner; CREATE SCHEMA rich AUTHORIZATION owner; GRANT USAGE ON SCHEMA rich TO reader, writer;
SET ROLE owner;
CREATE FUNCTION rich.tenant() RETURNS int LANGUAGE sql STABLE AS \$\$SELECT nullif(current_setting('app.tenant', true), '')::int\$\$;
DO \$\$ BEGIN
FOR i IN 1..$tables LOOP
    EXECUTE format('CREATE TABLE rich.t%s (tenant_id int NOT NULL, id int, parent int, code text, PRIMARY KEY (tenant_id, id),
                    UNIQUE (tenant_id, code), FOREIGN KEY (tenant_id, parent) REFERENCES rich.t%s);
        ALTER TABLE rich.t%1\$s ENABLE ROW LEVEL SECURITY;
        CREATE POLICY a ON rich.t%1\$s USING (tenant_id = (SELECT rich.tenant()));
        CREATE POLICY b ON rich.t%1\$s AS RESTRICTIVE USING (tenant_id = (SELECT rich.tenant()));
        GRANT SELECT, INSERT, UPDATE, DELETE ON rich.t%1\$s TO reader, writer', i, greatest(i - 1, 1));
    CONTINUE WHEN i % 4 > 0;
    EXECUTE format('CREATE VIEW rich.v%s AS SELECT * FROM rich.t%1\$s; GRANT SELECT ON rich.v%1\$s TO reader;
        CREATE FUNCTION rich.f%1\$s() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
            AS ''SELECT count(*) FROM rich.t%1\$s''', i);
END LOOP; END \$\$;
RESET ROLE;
ANALYZE;
SQL
}

echo "catalog checks of $tables tables: $(milliseconds "$pgmigrate" rls --static-only) ms"
for kind in rows table function; do
    off=$(apply "$kind" off) one=$(apply "$kind" new --to 101) all=$(apply "$kind" new)
    echo "a migration of $kind: $((off / migrations)) ms; the gate adds $(((all - one) / (migrations - 1) - off / migrations)) ms" \
        "(and $((one - off / migrations)) ms once for each run)"
done
rich
printf '[rls]\nschemas = rich\nroles = reader, writer, member\ntenant_setting = app.tenant\n' >pgmigrate.conf
echo "catalog checks of $tables more tables with two policies, a quarter with views and functions of their owner:" \
    "$(milliseconds "$pgmigrate" rls --static-only) ms"
