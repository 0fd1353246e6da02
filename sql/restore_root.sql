-- The partitioned table on top of table $2 of schema $1: schema and name. No row where it is no partition.
SELECT n.nspname AS schema, r.relname AS name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS r ON r.oid = pg_catalog.pg_partition_root(c.oid)
  JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
 WHERE s.nspname = $1
   AND c.relname = $2
   AND c.relispartition
