-- Every table outside the system schemas that holds rows itself, in order of name (bytewise): quoted name, bytes with TOAST, bytes of
-- its indexes, rows as last counted by VACUUM or ANALYZE (-1: never). Takes no lock that waits long: nothing but catalogs is read
-- beyond the files' sizes.
SELECT t.name, t.bytes, t.index_bytes, t.rows
  FROM (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
               pg_catalog.pg_table_size(c.oid) AS bytes,
               pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
               CASE WHEN c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0) THEN -1
                    ELSE c.reltuples END::pg_catalog.int8 AS rows
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_') AS t
 ORDER BY t.name COLLATE "C"
