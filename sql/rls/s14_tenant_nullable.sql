-- S14, low: rows may have no tenant. They are nobody's until a policy is widened for them. Where NULL means "shared by all", accept it.
WITH :scope
SELECT 'S14' AS "check", 'low' AS severity, t.object, NULL AS role,
       format('the tenant column %I may be NULL', c.name) AS message,
       format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', t.object, c.name) AS hint, NULL AS evidence,
       false AS inconclusive
  FROM tenant_table AS t
  JOIN tenant_column AS c ON c.relation = t.oid
 WHERE NOT c.not_null
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = t.oid)
 ORDER BY t.object, c.number
