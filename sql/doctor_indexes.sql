-- Indexes that a failed CREATE INDEX CONCURRENTLY left behind. Rows: name. At most five.
SELECT i.indexrelid::pg_catalog.regclass::pg_catalog.text AS name
FROM pg_catalog.pg_index AS i
WHERE NOT i.indisvalid
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
        WHERE c.oid = i.indexrelid AND c.relkind = 'I')
ORDER BY 1
LIMIT 5
