-- One row of what a backup may run into: locks (how many tables may be locked at once), most_locks (more than that cannot
-- be: spare shared memory made it 1 to 2.3 times what all processes count for where it was measured; huge pages can leave
-- a lot more), tables (how many a backup has to lock), bytes (of their rows), snapshot_minutes (old_snapshot_threshold; -1: snapshots last), pid (of the server's
-- process), hooked (extensions whose tables need a restore of their own kind, or null), and large_objects.
SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8
           * (pg_catalog.current_setting('max_connections')::pg_catalog.int8
              + pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8) AS locks,
       CASE WHEN 'on' IN (coalesce(pg_catalog.current_setting('huge_pages_status', true), ''),
                          pg_catalog.current_setting('huge_pages'))
            THEN 9223372036854775807
            ELSE 4 * pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8
                   * (pg_catalog.current_setting('max_connections')::pg_catalog.int8
                      + pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8
                      + coalesce(pg_catalog.current_setting('autovacuum_worker_slots', true),
                                 pg_catalog.current_setting('autovacuum_max_workers'))::pg_catalog.int8
                      + pg_catalog.current_setting('max_worker_processes')::pg_catalog.int8
                      + pg_catalog.current_setting('max_wal_senders')::pg_catalog.int8)
       END AS most_locks,
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p')
           AND c.relpersistence <> 't'
           AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
           AND n.nspname <> 'information_schema') AS tables,
       (SELECT coalesce(pg_catalog.sum(c.relpages + coalesce(t.relpages, 0)), 0)::pg_catalog.int8
                   * pg_catalog.current_setting('block_size')::pg_catalog.int8
          FROM pg_catalog.pg_class AS c
          LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
         WHERE c.relkind = 'r'
           AND c.oid >= 16384) AS bytes,
       coalesce((SELECT s.setting::pg_catalog.int8
                   FROM pg_catalog.pg_settings AS s
                  WHERE s.name = 'old_snapshot_threshold'), -1) AS snapshot_minutes,
       pg_catalog.pg_backend_pid() AS pid,
       (SELECT pg_catalog.string_agg(e.extname, ' and ' ORDER BY e.extname)
          FROM pg_catalog.pg_extension AS e
         WHERE e.extname IN ('timescaledb', 'citus')) AS hooked,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) AS large_objects
