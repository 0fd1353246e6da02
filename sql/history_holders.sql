-- Who keeps us from reading the table named $1 (quoted): sessions that hold its strongest lock, or wait for it ahead of us.
-- Columns as of session_blockers.
SELECT a.pid,
       a.application_name AS application,
       a.usename AS "user",
       pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::pg_catalog.int8 AS seconds,
       a.state,
       pg_catalog.left(pg_catalog.regexp_replace(
           pg_catalog.regexp_replace(a.query, '''([^'']|'''')*(''|$)', '''...''', 'g'), '\s+', ' ', 'g'), 120) AS query
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
   AND l.relation = pg_catalog.to_regclass($1)
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
 ORDER BY l.granted DESC, a.xact_start
 LIMIT 3
