-- The INVALID indexes that REINDEX CONCURRENTLY has left on a table and its partitions; the table, or one of its indexes,
-- is $2 in schema $1 (NULL: found by the search_path). Columns as index_state.
WITH given AS (
    SELECT pg_catalog.to_regclass(CASE WHEN $1::pg_catalog.text IS NULL
                                       THEN pg_catalog.quote_ident($2::pg_catalog.text)
                                       ELSE pg_catalog.format('%I.%I', $1::pg_catalog.text,
                                                              $2::pg_catalog.text) END) AS relation
), target AS (
    SELECT COALESCE((SELECT x.indrelid FROM pg_catalog.pg_index AS x WHERE x.indexrelid = g.relation),
                    g.relation::pg_catalog.oid) AS relation
      FROM given AS g
), tables AS (
    SELECT t.relation FROM target AS t
    UNION
    SELECT p.relid FROM target AS t CROSS JOIN LATERAL pg_catalog.pg_partition_tree(t.relation) AS p
)
SELECT false AS valid,
       n.nspname AS schema,
       c.relname AS index,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM tables AS t
  JOIN pg_catalog.pg_index AS i ON i.indrelid = t.relation
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid
   AND c.relname ~ '_cc(new|old)[0-9]*$'
 ORDER BY c.oid
