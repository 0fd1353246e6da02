-- Indexes that a failed CREATE INDEX CONCURRENTLY left behind. Rows: name. At most five. Of another user's build that is
-- under way the role may see only who it is; its lock tells on which table.
SELECT i.indexrelid::pg_catalog.regclass::pg_catalog.text AS name
FROM pg_catalog.pg_index AS i
WHERE NOT i.indisvalid
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
        WHERE p.datname = pg_catalog.current_database()
            AND (p.index_relid = i.indexrelid OR p.index_relid IS NULL AND EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.pid = p.pid AND l.locktype = 'relation' AND l.relation = i.indrelid)))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
        WHERE c.oid = i.indexrelid AND c.relkind = 'I')
ORDER BY 1
LIMIT 5
