-- One row: ends the server process $1 (integer) if it began at $2 (timestamptz as text), our own lost session.
SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid)) AS ended
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid = $1::pg_catalog.int4
   AND a.backend_start = $2::pg_catalog.timestamptz
