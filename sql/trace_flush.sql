-- The session's own counts go to the server's statistics when this ends. Since PostgreSQL 15.
SELECT pg_catalog.pg_stat_force_next_flush()
