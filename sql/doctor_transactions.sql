-- Sessions of this database whose transaction has been open for five minutes: locks they hold stop migrations.
-- Rows: pid, application, "user", seconds. At most five, oldest first.
SELECT a.pid, a.application_name AS application, a.usename AS "user",
    extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.int8 AS seconds
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
    AND a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(mins => 5)
ORDER BY a.xact_start
LIMIT 5
