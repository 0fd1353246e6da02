-- The session that holds the run lock $1 (bigint) in this database: pid, application, user, address, seconds since its
-- connection began and the query it runs, null between two, without the values in quotes: they may be secrets that it
-- was given. What the role may not see is null. No row when nobody holds it.
SELECT a.pid,
       a.application_name AS application,
       a.usename AS "user",
       pg_catalog.host(a.client_addr) AS address,
       pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.backend_start))::pg_catalog.int8 AS seconds,
       CASE WHEN a.state = 'active' THEN pg_catalog.left(pg_catalog.regexp_replace(
           pg_catalog.regexp_replace(a.query, '''([^'']|'''')*(''|$)', '''...''', 'g'), '\s+', ' ', 'g'), 120) END AS query
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'advisory'
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND (l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8 = $1::pg_catalog.int8
   AND l.objsubid = 1
   AND l.granted
