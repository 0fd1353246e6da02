-- Ends all other sessions in database $1 but those that replicate physically: how many there were.
SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid)) AS sessions
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = $1
   AND a.pid <> pg_catalog.pg_backend_pid()
