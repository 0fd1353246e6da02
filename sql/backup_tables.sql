-- The tables whose rows a backup must hold, and the partitioned tables above them; largest first: oid, filenode, schema,
-- name, columns (quoted, without generated ones), bytes with TOAST, pages, whether it is partitioned, unlogged, a heap,
-- an extension's configuration, ordered (BRIN or CLUSTER: its physical order matters), sorted (a collation decides which
-- partition a row belongs to), naming (it has a column of type regclass, in which an index may be named), and root, the
-- quoted name of the partitioned table through which its rows must be loaded. Tables below $1 (bigint) bytes are never
-- called ordered.
WITH config AS (
    SELECT pg_catalog.unnest(e.extconfig) AS oid FROM pg_catalog.pg_extension AS e
), member AS (
    SELECT d.objid AS oid
      FROM pg_catalog.pg_depend AS d
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.deptype = 'e'
), arranged AS (
    SELECT i.indrelid AS oid
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
      JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
     WHERE a.amname = 'brin'
        OR i.indisclustered
), by_enum_hash AS (
    SELECT p.partrelid AS oid
      FROM pg_catalog.pg_partitioned_table AS p
      JOIN pg_catalog.pg_opclass AS o ON o.oid = ANY (p.partclass)
      JOIN pg_catalog.pg_am AS a ON a.oid = o.opcmethod
     WHERE o.opcname = 'enum_ops'
       AND o.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace
       AND a.amname = 'hash'
), by_collation AS (
    SELECT p.partrelid AS oid
      FROM pg_catalog.pg_partitioned_table AS p
      JOIN pg_catalog.pg_collation AS c ON c.oid = ANY (p.partcollation)
     WHERE p.partstrat = 'r'
       AND c.collname NOT IN ('C', 'POSIX')
), naming AS (
    SELECT a.attrelid AS oid
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
     WHERE 'pg_catalog.regclass'::pg_catalog.regtype IN (t.oid, t.typelem, t.typbasetype)
       AND a.attnum > 0
       AND NOT a.attisdropped
), tables AS (
    SELECT c.oid, n.nspname, c.relname, c.relfilenode, c.relkind, c.relpersistence, a.amname, config.oid AS config,
           CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_table_size(c.oid) ELSE 0 END AS bytes,
           CASE WHEN c.relispartition
                 AND EXISTS (SELECT 1
                               FROM pg_catalog.pg_partition_ancestors(c.oid) AS above (oid)
                               JOIN by_enum_hash AS h ON h.oid = above.oid)
                THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid END AS root,
           c.relispartition
               AND EXISTS (SELECT 1
                             FROM pg_catalog.pg_partition_ancestors(c.oid) AS above (oid)
                             JOIN by_collation AS b ON b.oid = above.oid) AS sorted
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
      LEFT JOIN config ON config.oid = c.oid
     WHERE c.relkind IN ('r', 'p')
       AND c.relpersistence <> 't'
       AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
       AND n.nspname <> 'information_schema'
       AND (config.oid IS NOT NULL OR NOT EXISTS (SELECT 1 FROM member WHERE member.oid = c.oid))
)
SELECT t.oid, t.relfilenode AS filenode, t.nspname AS schema, t.relname AS name,
       coalesce((SELECT pg_catalog.string_agg('"' || pg_catalog.replace(a.attname, '"', '""') || '"', ', '
                                              ORDER BY coalesce(r.attnum, a.attnum))
                   FROM pg_catalog.pg_attribute AS a
                   LEFT JOIN pg_catalog.pg_attribute AS r
                     ON r.attrelid = t.root AND r.attname = a.attname AND r.attnum > 0
                  WHERE a.attrelid = t.oid
                    AND a.attnum > 0
                    AND NOT a.attisdropped
                    AND a.attgenerated = ''), '') AS columns,
       coalesce(t.bytes, 0) AS bytes,
       CASE WHEN t.relkind = 'r'
            THEN pg_catalog.pg_relation_size(t.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8
            END AS pages,
       t.relkind = 'p' AS partitioned,
       t.relpersistence = 'u' AS unlogged,
       t.amname IS NOT DISTINCT FROM 'heap' AS heap,
       t.config IS NOT NULL AS config,
       t.bytes >= $1::pg_catalog.int8
           AND EXISTS (SELECT 1 FROM arranged WHERE arranged.oid = t.oid) AS ordered,
       t.sorted,
       EXISTS (SELECT 1 FROM naming WHERE naming.oid = t.oid) AS naming,
       (SELECT '"' || pg_catalog.replace(n.nspname, '"', '""') || '"."' || pg_catalog.replace(c.relname, '"', '""') || '"'
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = t.root) AS root,
       pg_catalog.pg_is_in_recovery() AS standby
  FROM tables AS t
 ORDER BY t.bytes DESC, t.oid
