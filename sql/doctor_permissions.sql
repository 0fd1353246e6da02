-- What the user may do with the history's schema and table. One row: has_schema, may_create_schema, may_use,
-- may_create, has_table, may_read, may_write. The log is written to only.
-- $1 schema, $2 table, $3 log.
SELECT n.oid IS NOT NULL AS has_schema,
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create_schema,
    coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS may_use,
    coalesce(pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false) AS may_create,
    c.oid IS NOT NULL AS has_table,
    coalesce(pg_catalog.has_table_privilege(c.oid, 'SELECT'), false) AS may_read,
    coalesce(pg_catalog.has_table_privilege(c.oid, 'INSERT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
        AND pg_catalog.has_table_privilege(c.oid, 'DELETE'), false)
        AND coalesce(pg_catalog.has_table_privilege(l.oid, 'INSERT'), true) AS may_write
FROM (VALUES (1)) AS one (one)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = $1
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = $2
LEFT JOIN pg_catalog.pg_class AS l ON l.relnamespace = n.oid AND l.relname = $3
