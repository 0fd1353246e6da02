#!/bin/bash
# SPDX-License-Identifier: PostgreSQL
#
# The include rules of the architecture: which folder may include which, which module owns which library, every
# source its own header first.
set -euo pipefail
cd "$(dirname "$0")/.."

problems=$(mktemp)
trap 'rm -f "$problems"' EXIT

problem() # FILE:LINE MESSAGE
{
    echo "$1: $2" | tee -a "$problems" >&2
}

# What a folder may include, besides itself.
allowed()
{
    case $1 in
        common) echo ;;
        migrator | backup) echo common ;;
        rollback) echo migrator backup common ;;
        deploy) echo rollback migrator backup common ;;
        cli) echo deploy rollback migrator backup common ;;
    esac
}

folders="common migrator backup rollback deploy cli"
for folder in $folders; do
    may=" $folder $(allowed "$folder") "
    while IFS=: read -r file line text; do
        other=${text#*\"}
        other=${other%%/*}
        case $may in
            *" $other "*) ;;
            *) problem "$file:$line" "$folder/ must not include $other/" ;;
        esac
    done < <(grep -n '^ *# *include "[a-z]*/' "$folder"/*.[ch] /dev/null 2>/dev/null)
done

# One library, one module.
owned() # HEADER-PATTERN FILES-PATTERN
{
    while IFS=: read -r file line _; do
        # shellcheck disable=SC2254 # a pattern
        case $file in
            $2) ;;
            *) problem "$file:$line" "only $2 includes this library" ;;
        esac
    done < <(grep -nE "^ *# *include [<\"]($1)[>\"]" common/*.[ch] migrator/*.[ch] backup/*.[ch] rollback/*.[ch] \
        deploy/*.[ch] cli/*.[ch] /dev/null 2>/dev/null)
}
shopt -s extglob
owned 'libpq-fe\.h|libpq/.*' 'common/@(postgres|postgres_connect|copy|stream).c'
owned 'openssl/.*' 'common/digest.c'
owned 'ini\.h' 'common/config.c'
owned 'sqlite3\.h' 'common/store.c'
owned 'archive.*\.h' 'backup/archive.c'
owned 'zstd.*\.h' 'backup/compress.c'
owned 'postgres_fe\.h|fe_utils/.*' 'migrator/split.c'
owned 'pg_query.*\.h' 'migrator/parse.c'
owned 'xxhash\.h' 'backup/fingerprint.c'
owned 'jansson\.h' '@(cli/*|migrator/@(parse|rls_settings|rls_expression|rls_performance).c|backup/@(json|manifest|record).@(c|h))'

for source in common/*.c migrator/*.c backup/*.c rollback/*.c deploy/*.c cli/*.c; do
    [ -f "${source%.c}.h" ] || continue
    first=$(grep -n -m 1 '^# *include' "$source")
    case $first in
        *"\"${source%.c}.h\""*) ;;
        *) problem "$source:${first%%:*}" "a source's own header comes first" ;;
    esac
done

for file in {common,migrator,backup,rollback,deploy,cli,bench}/*.[ch] tests/*/*.[ch]; do
    [ ! -f "$file" ] || [ "$(head -n 1 "$file")" = "/* SPDX-License-Identifier: PostgreSQL */" ] ||
        problem "$file:1" "the first line is not the licence identifier"
done

[ ! -s "$problems" ]
