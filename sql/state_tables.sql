-- The tables that have rows of their own and may be read: schema and table. $1, $2, $3 are the history's schema, table and
-- log, which are left out.
SELECT n.nspname AS schema, c.relname AS "table"
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r'
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
   AND NOT (n.nspname = $1 AND c.relname IN ($2, $3))
 ORDER BY n.nspname, c.relname
