-- What holds rows, largest first: schema, name, bytes with TOAST, pages of the heap; root, the quoted name of the table that it
-- is a partition of. A partitioned table is as large as its partitions.
SELECT n.nspname AS schema, c.relname AS name,
       CASE WHEN c.relkind = 'p'
            THEN (SELECT pg_catalog.sum(pg_catalog.pg_table_size(p.relid)) FROM pg_catalog.pg_partition_tree(c.oid) AS p)::pg_catalog.int8
            ELSE pg_catalog.pg_table_size(c.oid) END AS bytes,
       CASE WHEN c.relkind IN ('r', 'm')
            THEN pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8
            ELSE 0 END AS pages,
       CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.text END AS root
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pgmigrate_restore')
 ORDER BY 3 DESC, c.oid
