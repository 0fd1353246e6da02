-- What of the server matters for how long a migration takes: version, database, when this was asked (UTC, RFC 3339), shared_buffers
-- and maintenance_work_mem in bytes, age in milliseconds of the oldest transaction in the database that CREATE INDEX CONCURRENTLY
-- would wait for (0: none; -1: others' are hidden), and bytes of the database.
SELECT pg_catalog.current_setting('server_version') AS version,
       pg_catalog.current_database() AS database,
       pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS taken_at,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS shared_buffers,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) AS maintenance_work_mem,
       (SELECT CASE WHEN pg_catalog.bool_or(a.usename IS NOT NULL AND a.backend_type IS NULL) THEN -1
                    ELSE COALESCE(pg_catalog.floor(1000 * pg_catalog.max(EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                      - a.xact_start)) FILTER (WHERE a.backend_xmin IS NOT NULL)), 0) END::pg_catalog.int8
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()) AS oldest_ms,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes
