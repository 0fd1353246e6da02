-- One row: the backup that this database was completely restored from, or null.
SELECT pg_catalog.current_setting('pgmigrate.restored', true) AS backup
