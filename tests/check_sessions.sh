#!/bin/bash
# SPDX-License-Identifier: PostgreSQL
#
# All test files share one server, several at a time: what a test looks for in pg_stat_activity, or ends there, has to
# be its own. So each query on it names the database (or a role of the test's own).
set -euo pipefail

perl -0ne '
    while (/\bfrom\s+pg_stat_activity\b([^"]*)"/gi) {
        next if $1 =~ /\b(datname|usename)\b/;
        my $line = 1 + (substr($_, 0, $-[0]) =~ tr/\n//);
        print "$ARGV:$line: pg_stat_activity without a database: sessions of other tests are seen, too\n";
        $bad = 1;
    }
    END { exit($bad // 0) }' "$@"
