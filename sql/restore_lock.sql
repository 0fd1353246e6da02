-- One row: whether this database is ours to restore into, as long as the session lasts. The number is "pgmigrat" in
-- ASCII's bytes.
SELECT pg_catalog.pg_try_advisory_lock(8099288178990211444) AS locked
