-- Sessions that wait for a lock which the sessions with application_name $1 hold, longest first: pid, seconds they have
-- waited (before server 14 the age of their statement), application, user, query without the values in quotes (null: hidden).
SELECT a.pid,
       pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - coalesce(w.since, a.query_start)))::pg_catalog.int8
           AS seconds,
       a.application_name AS application, a.usename AS "user",
       pg_catalog.left(pg_catalog.regexp_replace(
           pg_catalog.regexp_replace(NULLIF(a.query, '<insufficient privilege>'), '''([^'']|'''')*(''|$)', '''...''', 'g'), '\s+', ' ', 'g'), 120) AS query
  FROM (SELECT l.pid, min((pg_catalog.to_jsonb(l) ->> 'waitstart')::pg_catalog.timestamptz) AS since
          FROM pg_catalog.pg_locks AS l
         WHERE NOT l.granted
         GROUP BY l.pid) AS w
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = w.pid
 WHERE a.application_name IS DISTINCT FROM $1
   AND pg_catalog.pg_blocking_pids(w.pid)
       && ARRAY(SELECT o.pid FROM pg_catalog.pg_stat_activity AS o WHERE o.application_name = $1)
 ORDER BY 2 DESC NULLS LAST
