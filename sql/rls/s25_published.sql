-- S25, low: publications with tables of tenants: subscribers get all rows, whatever the policies say. Not where the publication has
-- a row filter for the table (PostgreSQL 15).
WITH :scope
SELECT 'S25' AS "check", 'low' AS severity, t.object, NULL AS role,
       format('publication %I sends all of its rows to subscribers', u.pubname) AS message,
       format('ALTER PUBLICATION %I SET TABLE … WHERE (…);', u.pubname) AS hint, NULL AS evidence, false AS inconclusive
  FROM pg_catalog.pg_publication_tables AS u
  JOIN tenant_table AS t ON t.schema = u.schemaname AND t.name = u.tablename
 WHERE t.row_security
   AND to_jsonb(u) ->> 'rowfilter' IS NULL
 ORDER BY t.object, u.pubname
