-- S2, high: policies that do nothing, because row security was never switched on. Partitioned tables count.
WITH :scope
SELECT 'S2' AS "check", 'high' AS severity, r.object, NULL AS role,
       'has policies, but row-level security is off: they do nothing' AS message,
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object) AS hint,
       (SELECT format('policies %s', string_agg(quote_ident(p.name), ', ' ORDER BY p.name))
          FROM policy AS p
         WHERE p.relation = r.oid) AS evidence,
       false AS inconclusive
  FROM relation AS r
 WHERE NOT r.row_security
   AND NOT r.exempt
   AND EXISTS (SELECT FROM policy AS p WHERE p.relation = r.oid)
 ORDER BY r.object
