-- One row, column gone: whether the server process $1 (integer) that began at $2 (timestamptz as text) has ended.
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a
                    WHERE a.pid = $1::pg_catalog.int4
                      AND a.backend_start = $2::pg_catalog.timestamptz) AS gone
