-- The session's own counts go to the server's statistics when this ends. From PostgreSQL 15 on.
SELECT pg_catalog.pg_stat_force_next_flush()
