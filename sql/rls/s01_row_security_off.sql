-- S1, high: tables with a tenant column that have neither row security nor policies: every row is everybody's.
-- Partitions and inheritance children are left to S18: through their parent they are protected by its policies.
WITH :scope
SELECT 'S1' AS "check", 'high' AS severity, t.object, NULL AS role,
       'row-level security is off, and the table holds rows of tenants' AS message,
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; and CREATE POLICY … ON %s …', t.object, t.object) AS hint,
       COALESCE((SELECT 'tenant column ' || string_agg(quote_ident(c.name), ', ' ORDER BY c.number)
                   FROM tenant_column AS c
                  WHERE c.relation = t.oid),
                (SELECT 'reaches its tenant through ' || string_agg(h.parent, ', ')
                   FROM through AS h
                  WHERE h.relation = t.oid)) AS evidence,
       false AS inconclusive
  FROM tenant_table AS t
 WHERE NOT t.row_security
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = t.oid)
   AND NOT EXISTS (SELECT FROM policy AS p WHERE p.relation = t.oid)
 ORDER BY t.object
