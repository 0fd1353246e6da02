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
  JOIN tenant_key AS n ON n.relation = c.oid
  JOIN tenant_key AS m ON m.relation = r.oid
 CROSS JOIN LATERAL (SELECT f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd') AS acts) AS a
 WHERE f.contype = 'f'
   AND f.conparentid = 0
   AND NOT n.numbers && f.conkey
 ORDER BY c.object, f.conname
