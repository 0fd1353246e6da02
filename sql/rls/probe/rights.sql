-- What the role $1 may do with the relation $2: S reads a column, A all columns, I inserts, U updates, D deletes, T truncates,
-- P makes temporary objects; and the column that it may update, of which $3, the tenant's, is the last one.
SELECT CASE WHEN pg_catalog.has_schema_privilege($1, c.relnamespace, 'USAGE') THEN
         CASE WHEN pg_catalog.has_any_column_privilege($1, c.oid, 'SELECT') THEN 'S' ELSE '' END ||
         CASE WHEN pg_catalog.has_table_privilege($1, c.oid, 'SELECT') THEN 'A' ELSE '' END ||
         CASE WHEN pg_catalog.has_any_column_privilege($1, c.oid, 'INSERT') THEN 'I' ELSE '' END ||
         CASE WHEN pg_catalog.has_any_column_privilege($1, c.oid, 'UPDATE') THEN 'U' ELSE '' END ||
         CASE WHEN pg_catalog.has_table_privilege($1, c.oid, 'DELETE') THEN 'D' ELSE '' END ||
         CASE WHEN pg_catalog.has_table_privilege($1, c.oid, 'TRUNCATE') THEN 'T' ELSE '' END ||
         CASE WHEN pg_catalog.has_database_privilege($1, pg_catalog.current_database(), 'TEMP') THEN 'P' ELSE '' END
       ELSE '' END AS rights,
       (SELECT a.attname
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
           AND pg_catalog.has_column_privilege($1, c.oid, a.attnum, 'UPDATE')
           AND pg_catalog.has_column_privilege($1, c.oid, a.attnum, 'SELECT')
         ORDER BY a.attname::text IS NOT DISTINCT FROM $3,
                  EXISTS (SELECT FROM pg_catalog.pg_index AS i
                           WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)), a.attnum
         LIMIT 1) AS touch
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = $2::pg_catalog.oid
