-- Who keeps us from the locks: sessions that hold or wait for a lock that conflicts with ours on a table of this
-- database: name of the table, pid, application, user, seconds its transaction is old, and its query without the values
-- in quotes; what the role may not see is null. Oldest first.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       a.pid, a.application_name AS application, a.usename AS "user",
       pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::pg_catalog.int8 AS seconds,
       pg_catalog.left(pg_catalog.regexp_replace(
           pg_catalog.regexp_replace(NULLIF(a.query, '<insufficient privilege>'), '''([^'']|'''')*(''|$)', '''...''', 'g'), '\s+', ' ', 'g'), 120) AS query
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'relation'
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND l.mode = 'AccessExclusiveLock'
   AND c.relkind IN ('r', 'p')
 ORDER BY l.granted DESC, a.xact_start
 LIMIT 5
