#!/bin/bash
# SPDX-License-Identifier: PostgreSQL
#
# bench/rehearse.sh [ROUNDS]: what measuring costs: 200 statements of real size, applied and applied under a rehearsal, in
# turn, each time to a fresh copy of one database. `make bench-rehearse`. The ratio is the median of the rounds'; the limit is 1.15.
set -euo pipefail

rounds=${1:-5}
pgmigrate=$(cd "$(dirname "$0")/.." && pwd)/${BUILD:-build}/pgmigrate
work=$(mktemp -d "${TMPDIR:-/var/tmp}/pgmigrate-bench.XXXXXX")
chmod 711 "$work"
trap '"$pgmigrate" cluster stop --remove --folder "$work/cluster" >/dev/null; rm -rf "$work"' EXIT
cd "$work"
"$pgmigrate" cluster start --folder "$work/cluster" >/dev/null
server=$("$pgmigrate" cluster url --folder "$work/cluster")

sql() # DATABASE
{
    psql -Xq -v ON_ERROR_STOP=1 -d "${server/\/postgres\?//$1?}"
}

echo "ALTER SYSTEM SET max_wal_size = '8GB'; ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf(); CREATE DATABASE base" |
    sed 's/; /;\n/g' | sql postgres >/dev/null
sql base <<'SQL'
CREATE TABLE customers AS SELECT i AS id, 'customer ' || i AS name, md5(i::text) AS token, i % 50 AS region FROM generate_series(1, 50000) AS i;
ALTER TABLE customers ADD PRIMARY KEY (id);
CREATE TABLE orders AS SELECT i AS id, i % 50000 + 1 AS customer, now() - i * interval '1 minute' AS at, (i % 9999) / 100.0 AS total,
    md5(i::text) AS note FROM generate_series(1, 200000) AS i;
ALTER TABLE orders ADD PRIMARY KEY (id);
ANALYZE;
SQL

# 20 migrations of 10 statements: about half of them read or write tens of thousands of rows, the others the catalogs.
mkdir migrations
for i in $(seq 101 120); do
    cat >"migrations/${i}_step.sql" <<SQL
ALTER TABLE orders ADD COLUMN flag_$i int DEFAULT 0;
UPDATE orders SET flag_$i = 1 WHERE id % 20 = $i % 20;
CREATE INDEX orders_flag_$i ON orders (flag_$i, at);
CREATE TABLE archive_$i (id int PRIMARY KEY, customer int, total numeric, note text);
INSERT INTO archive_$i SELECT id, customer, total, note FROM orders WHERE id % 10 = $i % 10;
ALTER TABLE archive_$i ADD CONSTRAINT archive_${i}_customer FOREIGN KEY (customer) REFERENCES customers (id);
ALTER TABLE orders ADD CONSTRAINT orders_flag_$i CHECK (flag_$i >= 0);
COMMENT ON TABLE archive_$i IS 'Orders that are kept.';
CREATE VIEW kept_$i AS SELECT a.id, c.name FROM archive_$i AS a JOIN customers AS c ON c.id = a.customer;
DELETE FROM archive_$i WHERE total < 1;
SQL
done

milliseconds() # KIND: of all migrations together, as the document tells it
{
    local url=${server/\/postgres\?//copy?}

    printf 'DROP DATABASE IF EXISTS copy;\nCREATE DATABASE copy TEMPLATE base;\nCHECKPOINT;\n' | sql postgres 2>/dev/null
    case $1 in
    apply) "$pgmigrate" apply --json --rollback-required=no -d "$url" ;;
    rehearse) "$pgmigrate" rehearse --json --rollback-required=no --in-place --round-trip none --on "$url" ;;
    victims) "$pgmigrate" rehearse --json --rollback-required=no --in-place --round-trip none --probe-victims --on "$url" ;;
    esac 2>/dev/null | jq '[.migrations[].execution_ms] | add'
}

median() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

milliseconds apply >/dev/null # warms up
for round in $(seq "$rounds"); do
    apply=$(milliseconds apply) rehearse=$(milliseconds rehearse) victims=$(milliseconds victims)
    echo "round $round: apply $apply ms, under a rehearsal $rehearse ms, with victims probed $victims ms"
    echo "$apply $rehearse $victims" >>rounds
done
echo "200 statements under a rehearsal / applied: $(awk '{ printf "%.3f\n", $2 / $1 }' rounds | median) (limit 1.15)," \
    "with --probe-victims $(awk '{ printf "%.3f\n", $3 / $1 }' rounds | median)"
