# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# A database that holds what restores get wrong (tests/data/fidelity), and a comparison of two databases that finds any
# difference: schema, database properties, rows, order of rows where it matters, sequences, large objects.

FIDELITY_DATA=$BATS_TEST_DIRNAME/../data/fidelity

# Whatever the database has set: it is there to be misunderstood.
FIDELITY_OPTIONS='-c search_path=pg_catalog -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC
    -c bytea_output=hex -c row_security=off -c default_transaction_read_only=off -c statement_timeout=0
    -c default_transaction_isolation=read\ committed -c standard_conforming_strings=on -c enable_seqscan=on
    -c max_parallel_workers_per_gather=0 -c synchronize_seqscans=off'

fidelity_psql() # URL ARGUMENT...
{
    PGCLIENTENCODING=UTF8 PGOPTIONS=$FIDELITY_OPTIONS psql -XAtq -v ON_ERROR_STOP=1 -d "$@"
}

# One session, as scripts may leave helpers in pg_temp.
fidelity_load() # URL
{
    local file files=()
    for file in "$FIDELITY_DATA"/*.sql; do files+=(-f "$file"); done
    psql -Xq -v ON_ERROR_STOP=1 -d "$1" "${files[@]}" >/dev/null
}

# A subscription keeps its database from being dropped.
fidelity_drop() # NAME
{
    local subscription
    if psql_server "select 1 from pg_database where datname = '${1//\'/\'\'}'" | grep -q 1; then
        while read -r subscription; do
            fidelity_psql "$(database_url "$1")" -c "alter subscription $subscription disable" \
                -c "alter subscription $subscription set (slot_name = none)" -c "drop subscription $subscription"
        done < <(fidelity_psql "$(database_url "$1")" -c "
            select quote_ident(subname) from pg_subscription join pg_database d on d.oid = subdbid where datname = current_database()")
        psql_server "drop database \"${1//\"/\"\"}\" with (force)"
    fi
}

# ---- what a database is ----

fidelity_schema() # URL
{
    PGCLIENTENCODING=UTF8 PGOPTIONS=$FIDELITY_OPTIONS pg_dump -s -d "$1" | grep -Ev '^\\(un)?restrict |^-- Dumped (from|by) '
}

fidelity_properties() # URL
{
    fidelity_psql "$1" <<'SQL'
SELECT 'database', datdba::regrole, pg_encoding_to_char(encoding), datcollate, datctype, datistemplate, datallowconn,
       datconnlimit, spcname, shobj_description(d.oid, 'pg_database'),
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a),
       to_jsonb(d) ->> 'datlocprovider', coalesce(to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale'), to_jsonb(d) ->> 'daticurules'
  FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = current_database();
SELECT 'setting', setrole::regrole, one
  FROM pg_db_role_setting, unnest(setconfig) one
 WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY setrole::regrole::text COLLATE "C", one COLLATE "C";
SQL
}

# Number and digest of the rows of every table and filled materialized view; in the order on disk where a BRIN index or
# CLUSTER gives it a meaning. Columns in the order of their names, as those of a table that inherits come in another one
# after a restore. Rows that a hash of an enum has spread are compared as a whole, as enums hash by OID.
fidelity_rows() # URL
{
    fidelity_psql "$1" <<'SQL'
SELECT format('SELECT %L, count(*), md5(string_agg(md5(row), '''' ORDER BY %s)) FROM (SELECT ROW(%s)::text AS row, ctid AS place FROM %s %I.%I) rows',
              format('rows %I.%I', nspname, relname),
              CASE WHEN EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
                                 WHERE i.indrelid = c.oid AND (i.indisclustered OR a.amname = 'brin'))
                   THEN 'place' ELSE 'row COLLATE "C"' END,
              (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname COLLATE "C")
                 FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
              CASE relkind WHEN 'p' THEN '' ELSE 'ONLY' END, nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       LEFT JOIN LATERAL (SELECT bool_or(p.partstrat = 'h' AND t.typtype = 'e') AS by_enum
                            FROM pg_partition_ancestors(c.oid) a JOIN pg_partitioned_table p ON p.partrelid = a.relid
                                 JOIN pg_attribute k ON k.attrelid = p.partrelid AND k.attnum = ANY (p.partattrs)
                                 JOIN pg_type t ON t.oid = k.atttypid) AS spread ON relkind IN ('r', 'p')
 WHERE (relkind = 'r' AND by_enum IS NOT TRUE OR relkind = 'm' AND relispopulated OR relkind = 'p' AND by_enum AND NOT relispartition)
   AND relpersistence <> 't' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
 ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
SELECT format('SELECT %L, last_value, is_called FROM %I.%I', format('sequence %I.%I', nspname, relname), nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind = 'S' AND relpersistence <> 't'
 ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
SELECT 'large object', m.oid, lomowner::regrole, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(lomacl) a),
       obj_description(m.oid, 'pg_largeobject'), md5(lo_get(m.oid))
  FROM pg_largeobject_metadata m ORDER BY m.oid;
SQL
}

fidelity_describe() # URL
{
    fidelity_schema "$1" && fidelity_properties "$1" && fidelity_rows "$1"
}

# Prints how two databases differ, and fails when they do, or when one cannot be read. That both are empty is no proof.
assert_same_database() # URL URL
{
    local folder result=0
    folder=$(mktemp -d "$BATS_TEST_TMPDIR/compare.XXXXXX")
    fidelity_describe "$1" >"$folder/one" || return
    fidelity_describe "$2" >"$folder/other" || return
    grep -q '^rows ' "$folder/one" || { echo "no tables at all" >&2; return 1; }
    diff -a "$folder/one" "$folder/other" >"$folder/differences" || result=1
    head -n 60 "$folder/differences" >&2
    rm -rf "$folder"
    return "$result"
}

# ---- an extension with tables that its users fill ----

# No extension of PostgreSQL's own has such tables, and none can be installed by everybody. But the server finds its files
# from where its program lies, so a folder of links and a copied program are a server with one more extension:
# PGMIGRATE_PG_BINDIR is set.
fidelity_extension_server()
{
    local bin share program
    bin=$(dirname "$(readlink -f "$(pg_config --bindir)/postgres")")
    share=$(pg_config --sharedir)
    [[ $bin == /usr/* && $share == /usr/* ]] || skip "PostgreSQL lies elsewhere than Debian's"
    FIDELITY_SERVER=$(mktemp -d /tmp/pgmigrate-extension.XXXXXX)
    chmod 755 "$FIDELITY_SERVER"
    PGMIGRATE_PG_BINDIR=$FIDELITY_SERVER/${bin#/usr/}
    export PGMIGRATE_PG_BINDIR
    mkdir -p "$PGMIGRATE_PG_BINDIR" "$FIDELITY_SERVER/${share#/usr/}/extension"
    ln -s "$bin/../lib" "$PGMIGRATE_PG_BINDIR/../lib"
    ln -s "$bin"/* "$PGMIGRATE_PG_BINDIR/"
    for program in postgres pg_ctl initdb; do
        cp --remove-destination "$bin/$program" "$PGMIGRATE_PG_BINDIR/"
    done
    share=${share#/usr/}
    for program in "/usr/$share"/*; do
        [ "${program##*/}" = extension ] || ln -s "$program" "$FIDELITY_SERVER/$share/"
    done
    ln -s "/usr/$share/extension"/* "$FIDELITY_SERVER/$share/extension/"
    printf "default_version = '1.0'\nrelocatable = false\n" >"$FIDELITY_SERVER/$share/extension/with_tables.control"
    cat >"$FIDELITY_SERVER/$share/extension/with_tables--1.0.sql" <<'SQL'
CREATE TABLE setting (name text PRIMARY KEY, value text, builtin boolean DEFAULT false);
INSERT INTO setting VALUES ('first', 'of the extension', true), ('second', 'of the extension', true);
CREATE TABLE rule (id serial PRIMARY KEY, setting text REFERENCES setting, note text);
CREATE TABLE fixed (a int);
INSERT INTO fixed VALUES (1), (2);
SELECT pg_catalog.pg_extension_config_dump('setting', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('rule', '');
SELECT pg_catalog.pg_extension_config_dump('rule_id_seq', '');
SQL
}
