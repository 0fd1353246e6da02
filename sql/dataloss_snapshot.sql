-- All columns of all tables outside the system schemas, for comparing before and after; $1, $2, $3 are the history's schema,
-- table and log, which are left out. Relation oid, schema, table, oid of the partitioned parent (NULL), file number (changes
-- when the table is truncated or rewritten; NULL for partitioned ones), column number and name (NULL for a table without
-- columns), whether the column is derived (inherited or generated), and whether the table is partitioned.
SELECT c.oid::pg_catalog.int8 AS relation,
       n.nspname AS schema,
       c.relname AS "table",
       i.inhparent::pg_catalog.int8 AS parent,
       pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8 AS file,
       a.attnum AS number,
       a.attname AS "column",
       COALESCE(a.attinhcount > 0 OR a.attgenerated <> '', false) AS derived,
       c.relkind = 'p' AS partitioned
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT (n.nspname = $1 AND c.relname IN ($2, $3))
 ORDER BY c.oid, a.attnum
