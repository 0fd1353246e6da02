-- Tables that have the name of a migration tool's history table and hold something, in any schema but ours; one row
-- each with its columns in alphabetical order. $1 names, $2 schema and $3 table that are not meant. The
-- size waits for whoever has locked the table, so it is asked for only where it counts.
SELECT n.nspname AS schema,
    c.relname AS table,
    (SELECT pg_catalog.string_agg(a.attname, ' ' ORDER BY a.attname COLLATE pg_catalog."C")
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT pg_catalog.regexp_replace(pg_catalog.replace(pg_catalog.format_type(a.atttypid, NULL), '"', ''), '^pg_catalog[.]', '')
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = 'version' AND NOT a.attisdropped) AS version_type,
    EXISTS (SELECT FROM pg_catalog.pg_class AS r
        WHERE r.relnamespace = c.relnamespace AND r.relname = 'ar_internal_metadata') AS beside_rails
FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = ANY ($1::pg_catalog.text[])
    AND c.relkind IN ('r', 'p')
    AND n.nspname !~ '^pg_'
    AND CASE WHEN c.relname = ANY ($1::pg_catalog.text[]) AND NOT (n.nspname = $2 AND c.relname = $3)
        THEN pg_catalog.pg_relation_size(c.oid) > 0 END
ORDER BY n.nspname, c.relname
