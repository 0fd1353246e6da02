-- The folder of the server's data; no row for a role that may not know it.
SELECT s.setting AS folder
  FROM pg_catalog.pg_settings AS s
 WHERE s.name = 'data_directory'
