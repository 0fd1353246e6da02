-- One row: hidden, how many sessions of other users in this database the role is shown without their transactions.
SELECT pg_catalog.count(*) AS hidden
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = pg_catalog.current_database() AND a.usename IS NOT NULL AND a.backend_type IS NULL
