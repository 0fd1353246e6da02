-- How an application would use the relation $1 (oid): its schema and name, and a column that may be updated (of the primary key where
-- it has one). No row for what is no table, is outside the user's schemas, or is gone.
SELECT n.nspname AS schema, c.relname AS "table", a.attname AS "column",
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
  LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
 WHERE c.oid = $1::pg_catalog.int8::pg_catalog.oid AND c.relkind IN ('r', 'p')
 ORDER BY a.attnum = ANY (i.indkey) DESC NULLS LAST, a.attnum
 LIMIT 1
