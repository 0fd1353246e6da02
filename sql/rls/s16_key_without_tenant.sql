-- S16: a foreign key between two tables of tenants that does not hold the tenant. Foreign keys are checked without row security, so
-- a row may point at another tenant's: low. medium where the key also deletes or changes the rows that point at one (CASCADE, SET
-- NULL), whose ever they are. Parents that are everybody's belong among the exempt.
WITH :scope
SELECT 'S16' AS "check", CASE WHEN a.acts THEN 'medium' ELSE 'low' END AS severity, c.object, NULL AS role,
       CASE WHEN a.acts THEN format('foreign key %I changes or deletes rows of other tenants that point at a row', f.conname)
            ELSE format('foreign key %I lets rows point at those of another tenant', f.conname) END AS message,
       format('FOREIGN KEY (%I, …) REFERENCES %s (%I, …)', n.name, r.object, m.name) AS hint,
       pg_catalog.pg_get_constraintdef(f.oid) AS evidence,
       false AS inconclusive
  FROM pg_catalog.pg_constraint AS f
  JOIN tenant_table AS c ON c.oid = f.conrelid
  JOIN tenant_table AS r ON r.oid = f.confrelid
  JOIN LATERAL (SELECT t.name FROM tenant_column AS t WHERE t.relation = c.oid ORDER BY t.number LIMIT 1) AS n ON true
  JOIN LATERAL (SELECT t.name FROM tenant_column AS t WHERE t.relation = r.oid ORDER BY t.number LIMIT 1) AS m ON true
 CROSS JOIN LATERAL (SELECT f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd') AS acts) AS a
 WHERE f.contype = 'f'
   AND f.conparentid = 0
   AND NOT EXISTS (SELECT FROM tenant_column AS t WHERE t.relation = c.oid AND t.number = ANY (f.conkey))
 ORDER BY c.object, f.conname
