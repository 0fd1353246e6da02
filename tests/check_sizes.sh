#!/bin/bash
# SPDX-License-Identifier: PostgreSQL
#
# Files of at most 600 lines, functions of at most 100 lines and a complexity of at most 15. There is no list of
# exceptions.
set -euo pipefail

wc -l "$@" | awk '
    $2 != "total" && $1 > 600 { printf "%s: %d lines, at most 600 are allowed\n", $2, $1; bad = 1 }
    END { exit bad }'

# pmccabe: modified complexity, complexity, statements, first line, lines, place, name
sources=()
for file; do
    [[ $file != *.c ]] || sources+=("$file")
done
pmccabe "${sources[@]}" | awk -F '\t' '
    $5 > 100 { printf "%s: %s has %d lines, at most 100 are allowed\n", $6, $7, $5; bad = 1 }
    $1 > 15 { printf "%s: %s has a complexity of %d, at most 15 is allowed\n", $6, $7, $1; bad = 1 }
    END { exit bad }'
