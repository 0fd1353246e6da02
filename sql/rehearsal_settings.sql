-- Settings of this session that decide what a migration does and how long it takes: name and value. Those that every
-- session should have alike, and whatever is set for this database or role, which a copy of the database does not carry.
SELECT s.name, pg_catalog.current_setting(s.name) AS value,
       s.source IN ('database', 'user', 'database user') AS set
  FROM pg_catalog.pg_settings AS s
 WHERE s.context IN ('user', 'superuser')
   AND (s.source IN ('database', 'user', 'database user')
        OR s.name IN ('TimeZone', 'DateStyle', 'IntervalStyle', 'search_path', 'maintenance_work_mem', 'work_mem',
                      'max_parallel_maintenance_workers', 'max_parallel_workers_per_gather', 'default_table_access_method',
                      'default_transaction_isolation', 'default_toast_compression', 'lock_timeout', 'statement_timeout',
                      'row_security', 'bytea_output', 'xmloption', 'session_replication_role'))
 ORDER BY s.name
