-- One row: the server process's own pid and when it began, and whether the server takes writes.
SELECT pg_catalog.pg_backend_pid() AS pid,
       (SELECT a.backend_start::pg_catalog.text
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.pid = pg_catalog.pg_backend_pid()) AS backend_start,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only
