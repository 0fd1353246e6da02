#!/bin/sh
# SPDX-License-Identifier: PostgreSQL
#
# Restore this backup without pgmigrate:
#
#     sh restore.sh ARCHIVE NEWDB [JOBS]
#
# makes the database NEWDB out of the file ARCHIVE with tar, zstd, psql and pg_restore alone; sha256sum is used where
# there is one. pg_restore must not be older than the server the backup was taken from. libpq's environment says where
# (PGHOST, PGPORT, PGUSER, PGPASSFILE ...), as a role that may create databases, best a superuser. JOBS (2) streams load
# at once. The archive is unpacked into a folder made in TMPDIR, or in the current one, and removed in the end.
#
# Names of the database's objects are never part of a command here: they stand in SQL files of the archive.
set -eu
umask 077

say()
{
    printf '%s\n' "restore.sh: $*" >&2
}

fail()
{
    say "$@"
    exit 1
}

run_psql() # ARGUMENT...
{
    PGCLIENTENCODING=UTF8 psql -X -q -v ON_ERROR_STOP=1 "$@"
}

# Settings that the role may not make (42501) are left out; warnings (01) are none of ours.
settings() # FILE
{
    run_psql -d "$server" -v "database=$newdb" -v ON_ERROR_STOP=0 -v VERBOSITY=verbose -f "$1" 2>problems || {
        cat problems >&2
        return 1
    }
    sed -n 's/^psql:[^:]*:[0-9]*: [^:]*:  \([0-9A-Z]\{5\}: .*\)/\1/p' problems >codes
    if grep -v -e '^01' -e '^42501:' codes >&2; then return 1; fi
    sed -n 's/^42501: /restore.sh: a setting is left out: /p' codes >&2
}

# ---- loading: this script calls itself, once for each stream ----

# Parts of a table, or of one of its chunks, in order. Their names are numbers and dots.
parts() # FOLDER [CHUNK]
{
    find "$1" -name "${2:-*}.*.zst" | sed 's,.*/,,' | sort -t . -k 1,1n -k 2,2n
}

chunks() # FOLDER
{
    parts "$1" | sed 's,\..*,,' | uniq
}

# What psql reads: the statement, the rows, their end. Where a part cannot be decoded the COMMIT is missing, so the
# server keeps nothing of it. Binary rows have an end of their own, and psql reads them to the end of its input.
rows() # FOLDER CHUNK
{
    case $how in *binary*) ;; *) echo 'BEGIN;' ;; esac
    cat "$1/copy.sql" || return 1
    parts "$1" "$2" | (cd "$1" && xargs zstd -dcq --) || return 1
    case $how in *binary*) ;; *) printf '\\.\nCOMMIT;\n' ;; esac
}

# A CHECK (23514) may ask tables whose rows are not there yet: what it refuses is tried once more in the end.
load_chunk() # FOLDER CHUNK
{
    mark=$(printf '%s' "$1.$2" | tr / .)
    if { rows "$1" "$2" || : >"failed/$mark"; } |
        run_psql -d "$RESTORE_DATABASE" -v VERBOSITY=verbose 2>"errors/$mark"; then
        [ ! -e "failed/$mark" ]
    elif [ -z "$last_try" ] && grep -q ':  23514: ' "errors/$mark"; then
        rm -f "failed/$mark"
        printf '%s\n' "$how:${1#tables/}/$2" >>"refused/${1#tables/}"
    else
        cat "errors/$mark" >&2
        : >"failed/$mark"
        return 1
    fi
}

# Chunk by chunk over one connection each, where the order of the rows on disk matters: what follows one that is
# refused waits with it.
load_table() # FOLDER
{
    for chunk in $(chunks "$1"); do
        if [ -e "refused/${1#tables/}" ]; then
            printf '%s\n' "$how:${1#tables/}/$chunk" >>"refused/${1#tables/}"
        else
            load_chunk "$1" "$chunk" || return 1
        fi
    done
}

# pg_restore names each table that it could not load just as its lists do, and in the end how many those were.
load_dump() # [OPTION...]
{
    if { find data -name '*.zst' | sort | xargs zstd -dcq -- || : >failed/data; } |
        LC_ALL=C pg_restore --section=data "$@" -d "$RESTORE_DATABASE" 2>errors/data; then
        [ ! -e failed/data ]
        return
    fi
    sed -n 's/^pg_restore: from TOC entry //p' errors/data >again.list
    if [ -z "$last_try" ] && [ ! -e failed/data ] && [ -s again.list ] &&
        [ "$(sed -n 's/.*errors ignored on restore: //p' errors/data)" = "$(($(wc -l <again.list)))" ]; then
        echo data >refused/data
    else
        cat errors/data >&2
        : >failed/data
        return 1
    fi
}

# 255 tells xargs to begin nothing more.
if [ "${1-}" = --load ]; then
    last_try=${3-}
    set -- "$2"
    case $1 in
        data) load_dump ${last_try:+--exit-on-error -L again.list} || exit 255 ;;
        *:*)
            how=${1%%:*} place=${1#*:}
            case $place in
                */*) load_chunk "tables/${place%/*}" "${place#*/}" || exit 255 ;;
                *) load_table "tables/$place" || exit 255 ;;
            esac
            ;;
    esac
    exit 0
fi

# ---- what is asked for ----

case $# in
    2 | 3) ;;
    *)
        echo "usage: sh restore.sh ARCHIVE NEWDB [JOBS]" >&2
        exit 2
        ;;
esac
archive=$1
newdb=$2
jobs=${3:-2}
case $jobs in '' | *[!0-9]* | 0*) fail "JOBS is a number from 1" ;; esac
[ -n "$newdb" ] || fail "the new database needs a name"
[ -r "$archive" ] || fail "cannot read \"$archive\""
for program in tar zstd psql pg_restore; do
    command -v "$program" >/dev/null || fail "$program is missing"
done

# A database's name may look like a connection string, so it becomes part of one.
conninfo() # NAME
{
    printf "dbname='%s'" "$(printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g")"
}
database=$(conninfo "$newdb")
server=$(conninfo "${PGDATABASE:-postgres}")

# What the rows were written with, whatever the database, its roles or this shell have set.
options='-c search_path= -c datestyle=ISO -c intervalstyle=postgres -c lc_monetary=C -c extra_float_digits=3
    -c row_security=off -c default_transaction_read_only=off -c default_transaction_isolation=read\ committed
    -c default_transaction_deferrable=off -c statement_timeout=0 -c lock_timeout=0
    -c idle_in_transaction_session_timeout=0 -c standard_conforming_strings=on -c check_function_bodies=off
    -c xmloption=content -c array_nulls=on -c client_min_messages=warning -c synchronous_commit=off
    -c maintenance_work_mem=256MB'
options=$(printf '%s' "$options" | tr '\n' ' ')

# ---- unpacking and checking ----

folder=$(mktemp -d "${TMPDIR:-.}/restore.XXXXXX")
folder=$(cd "$folder" && pwd)
begun=
finish()
{
    status=$?
    trap - EXIT INT TERM
    rm -rf "$folder"
    if [ "$status" -ne 0 ] && [ -n "$begun" ]; then
        say "the new database is not complete: drop it before the next try"
    fi
    case $status in 0 | 130 | 143) ;; *) status=1 ;; esac # whatever a program's own was
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

needed=$(($(wc -c <"$archive") / 1024))
free=$(df -Pk "$folder" | awk 'NR == 2 { for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+%$/) print $(i - 1) }')
if [ -n "$free" ] && [ "$free" -lt "$needed" ]; then
    fail "\"$folder\" has room for $free kB, but the archive has $needed kB: set TMPDIR to a larger place"
fi

if command -v sha256sum >/dev/null && [ -r "$archive.sha256" ]; then
    say "comparing the archive with its digest"
    expected=$(cut -c 1-64 <"$archive.sha256")
    found=$(sha256sum <"$archive" | cut -c 1-64)
    [ "$expected" = "$found" ] || fail "the archive is damaged: its SHA-256 is not that of \"$archive.sha256\""
fi

say "unpacking"
tar -xf "$archive" -C "$folder"
for member in restore.sh database.sql schema.dump tables/index.tsv; do
    [ -e "$folder/$member" ] || fail "\"$archive\" is not a whole backup of pgmigrate: it has no $member"
done
cd "$folder"
mkdir errors failed refused
if command -v sha256sum >/dev/null && [ -e SHA256SUMS ]; then
    sha256sum -c SHA256SUMS >checked 2>&1 || {
        grep -v ': OK$' checked >&2
        fail "the archive is damaged"
    }
fi

# Privileges come after the data: an owner may have revoked his own. Then views are
# filled; event triggers are the last, with what is said of them.
pg_restore -l schema.dump >all.list
entry='^[0-9][0-9]*; [0-9][0-9]* [0-9][0-9]* '
last='((COMMENT|SECURITY LABEL) - )?EVENT TRIGGER'
grep -E "$entry(ACL|DEFAULT ACL) " all.list >acl.list || :
grep -E "${entry}MATERIALIZED VIEW DATA " all.list >refresh.list || :
grep -E "$entry$last " all.list >last.list || :
grep -Ev "$entry(ACL|DEFAULT ACL|MATERIALIZED VIEW DATA|$last) " all.list >objects.list || :

# The database's roles, one a line, in COPY's text format.
if [ -e roles.tsv ]; then
    {
        echo 'CREATE TEMPORARY TABLE needed (name text); COPY needed FROM STDIN;'
        cat roles.tsv
        printf '\\.\n'
        echo "SELECT quote_ident(name) FROM needed
               WHERE name <> 'public' AND name NOT IN (SELECT rolname FROM pg_catalog.pg_roles) ORDER BY 1;"
    } >roles.sql
    missing=$(run_psql -d "$server" -At -f roles.sql)
    if [ -n "$missing" ]; then
        printf '%s\n' "$missing" >&2
        fail "these roles do not exist here; all roles: tar -xOf ARCHIVE globals.sql | psql -d postgres"
    fi
fi

# A tablespace that is not here: then everything goes into the default one.
pg_restore -f - schema.dump | sed -n "s/^SET default_tablespace = \(.*\);$/\1/p" | grep -v "^''$" | sort -u >tablespaces || :
no_tablespaces=
if [ -s tablespaces ]; then
    run_psql -d "$server" -At -c 'SELECT quote_ident(spcname) FROM pg_catalog.pg_tablespace' >places
    if grep -vxFf places tablespaces >absent; then
        say "without tablespaces, as these are not here: $(tr '\n' ' ' <absent)"
        no_tablespaces=yes
    fi
fi

# ---- the database ----

say "creating the database"
sed '/^-- application/,$d' database.sql >create.sql
sed -n '/^-- application/,/^-- properties/p' database.sql >application.sql
sed -n '/^-- properties/,/^-- settings/p' database.sql >properties.sql
sed -n '/^-- settings/,$p' database.sql >settings.sql
run_psql -d "$server" -v "database=$newdb" -f create.sql
begun=yes
settings application.sql || fail "the application's settings could not be made"
export PGOPTIONS="${PGOPTIONS-} $options" RESTORE_DATABASE="$database"
# Timeouts that not every server knows.
run_psql -d "$database" -At >timeouts <<'SQL'
SELECT '-c ' || name || '=0' FROM pg_catalog.pg_settings
 WHERE name IN ('transaction_timeout', 'idle_session_timeout') ORDER BY name;
SQL
PGOPTIONS="$PGOPTIONS $(tr '\n' ' ' <timeouts)"

pg_restore --exit-on-error ${no_tablespaces:+--no-tablespaces} --section=pre-data -L objects.list -d "$database" schema.dump

# ---- the rows ----

load() # LIST
{
    [ -s "$1" ] || return 0
    xargs -n 1 -P "$jobs" sh restore.sh --load <"$1" || fail "rows could not be loaded"
    [ -z "$(ls failed)" ] || fail "rows could not be loaded"
    [ -n "$(ls refused)" ] || return 0
    say "trying again what was refused"
    cat refused/* >again
    rm refused/*
    while read -r item; do
        sh restore.sh --load "$item" last </dev/null || fail "rows could not be loaded"
    done <again
}

# A regclass may name an index, so these tables come after it.
run_psql -d "$database" -At >naming <<'SQL'
SELECT DISTINCT '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"'
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE 'pg_catalog.regclass'::pg_catalog.regtype IN (t.oid, t.typelem, t.typbasetype)
   AND n.nspname <> 'pg_catalog'
   AND a.attnum > 0
   AND NOT a.attisdropped;
SQL

# Columns: number, how, rows, name. Unless their order matters, chunks of one table are loaded side by side.
say "loading the rows, $jobs at once"
: >later
{
    if [ -d data ]; then echo data; fi
    tab=$(printf '\t')
    while IFS=$tab read -r number how _ name; do
        case $number in '' | *[!0-9]*) continue ;; esac
        case $how in
            *ordered*) echo "$how:$number" ;;
            *) chunks "tables/$number" | sed "s,^,$how:$number/," ;;
        esac >one
        if grep -qxF -e "$name" naming; then cat one >>later; else cat one; fi
    done <tables/index.tsv
} >todo
load todo

# ---- what is built on them ----

post_data() # LIST
{
    pg_restore --exit-on-error ${no_tablespaces:+--no-tablespaces} --section=post-data -j "$jobs" -L "$1" -d "$database" schema.dump
}

say "building indexes and constraints"
if [ -s later ]; then
    # Before foreign keys want these rows, and triggers see them.
    keys='(INDEX|INDEX ATTACH|CONSTRAINT)'
    grep -E "$entry$keys " objects.list >keys.list || :
    grep -Ev "$entry$keys " objects.list >rest.list || :
    post_data keys.list
    load later
    post_data rest.list
else
    post_data objects.list
fi
say "granting privileges"
pg_restore --exit-on-error -L acl.list -d "$database" schema.dump
pg_restore --exit-on-error ${no_tablespaces:+--no-tablespaces} -L refresh.list -d "$database" schema.dump
run_psql -d "$database" -c 'ANALYZE'

say "comparing the numbers of rows"
{
    echo 'CREATE TEMPORARY TABLE expected (number text, how text, rows bigint, name text); COPY expected FROM STDIN;'
    cat tables/index.tsv
    printf '\\.\n'
    cat <<'SQL'
DO $$
DECLARE
    one record;
    found bigint;
    wrong text := '';
BEGIN
    FOR one IN SELECT * FROM expected WHERE rows IS NOT NULL LOOP
        EXECUTE 'SELECT count(*) FROM ONLY ' || one.name INTO found;
        IF found <> one.rows THEN
            wrong := wrong || format(E'\n%s has %s rows instead of %s', one.name, found, one.rows);
        END IF;
    END LOOP;
    IF wrong <> '' THEN
        RAISE EXCEPTION 'rows are missing or too many:%', wrong;
    END IF;
END
$$;
SQL
} >compare.sql
run_psql -d "$database" -f compare.sql

# Only now, or they would see what was done here.
pg_restore --exit-on-error -L last.list -d "$database" schema.dump
run_psql -d "$server" -v "database=$newdb" -f properties.sql
settings settings.sql || fail "the database's settings could not be made"
say "done: all rows are there"
