-- The INVALID indexes of table $2 in schema $1 (NULL: found by the search_path). Columns as index_state.
SELECT false AS valid,
       n.nspname AS schema,
       c.relname AS index,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid
   AND i.indrelid = pg_catalog.to_regclass(CASE WHEN $1::pg_catalog.text IS NULL
                                                THEN pg_catalog.quote_ident($2::pg_catalog.text)
                                                ELSE pg_catalog.format('%I.%I', $1::pg_catalog.text,
                                                                       $2::pg_catalog.text) END)
