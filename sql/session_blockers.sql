-- The sessions that the server process $1 (integer; or null) waits for, and those that have a lock on the table named $2
-- (quoted; or null), with $3 (boolean) only who has or wants it alone: pid, application, user, seconds its transaction is
-- old, state and query without the values in quotes; what the role may not see is null. No row when there is nobody.
SELECT a.pid,
       a.application_name AS application,
       a.usename AS "user",
       pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::pg_catalog.int8 AS seconds,
       a.state,
       pg_catalog.left(pg_catalog.regexp_replace(
           pg_catalog.regexp_replace(NULLIF(a.query, '<insufficient privilege>'), '''([^'']|'''')*(''|$)', '''...''', 'g'), '\s+', ' ', 'g'), 120) AS query
  FROM (SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4))
         UNION
        SELECT l.pid
          FROM pg_catalog.pg_locks AS l
         WHERE l.locktype = 'relation'
           AND (l.mode = 'AccessExclusiveLock' OR NOT $3::pg_catalog.bool)
           AND l.relation = pg_catalog.to_regclass($2)
           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
           AND l.pid <> pg_catalog.pg_backend_pid()
       ) AS b (pid)
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
 ORDER BY a.xact_start
