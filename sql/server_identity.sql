-- One row: which server and database this is, when the server began, and whether it is a standby. The system identifier is
-- that of the data folder: a physical copy has the same one, but another moment at which it began.
SELECT s.system_identifier::pg_catalog.text AS system_identifier,
       pg_catalog.current_database() AS database,
       pg_catalog.pg_postmaster_start_time()::pg_catalog.timestamptz AT TIME ZONE 'UTC' AS began,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       pg_catalog.current_setting('server_version') AS version
  FROM pg_catalog.pg_control_system() AS s
