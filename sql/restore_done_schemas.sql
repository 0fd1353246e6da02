-- The same of publications of whole schemas, which servers have from PostgreSQL 15 on.
SELECT 'PUBLICATION TABLES IN SCHEMA' AS kind, n.nspname AS schema, pg_catalog.concat(p.pubname, ' ', n.nspname) AS name
  FROM pg_catalog.pg_publication_namespace AS m
  JOIN pg_catalog.pg_publication AS p ON p.oid = m.pnpubid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = m.pnnspid
