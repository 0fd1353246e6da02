-- Tables that belong to an extension: schema and name.
SELECT n.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_depend AS d
  JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.deptype = 'e'
   AND c.relkind = 'r'
