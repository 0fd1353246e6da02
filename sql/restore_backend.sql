-- One row: whether the server process $1 still serves this database.
SELECT EXISTS (SELECT 1
                 FROM pg_catalog.pg_stat_activity AS a
                WHERE a.pid = $1::pg_catalog.int4
                  AND a.datname = pg_catalog.current_database()
                  AND a.backend_type = 'client backend') AS present
