-- Who is connected to the database $1: pid, user, application; none of them can be there while it is copied.
SELECT a.pid, a.usename AS "user", a.application_name AS application
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = $1
   AND COALESCE(a.backend_type, CASE WHEN a.usename IS NOT NULL THEN 'client backend' END) = 'client backend'
 ORDER BY a.backend_start
