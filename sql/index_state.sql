-- The index named $1 on table $3 of schema $2 (NULL: found by the search_path): valid, schema, index, and its name as it
-- is written in SQL. No row when there is none.
SELECT i.indisvalid AS valid,
       n.nspname AS schema,
       c.relname AS index,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = $1::pg_catalog.text
   AND i.indrelid = pg_catalog.to_regclass(CASE WHEN $2::pg_catalog.text IS NULL
                                                THEN pg_catalog.quote_ident($3::pg_catalog.text)
                                                ELSE pg_catalog.format('%I.%I', $2::pg_catalog.text,
                                                                       $3::pg_catalog.text) END)
