-- S7, high: a permissive policy whose expression is true for every row: true, 'a' = 'a', t = t, true OR …. By hand this lists
-- the expressions; the program judges them. A table that all may read belongs among the exempt. A missing expression is no such
-- thing: the server takes it as false.
WITH :scope
SELECT 'S7' AS "check", 'high' AS severity, p.object, NULL AS role, 'the policy is true for every row' AS message,
       format('ALTER POLICY %I ON %s %s (…);', p.name, p.table_object, e.clause) AS hint,
       format('%s (%s)', e.clause, e.expression) AS evidence, false AS inconclusive, e.expression
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
 CROSS JOIN LATERAL (VALUES ('USING', p.using_text), ('WITH CHECK', p.check_text)) AS e(clause, expression)
 WHERE e.expression IS NOT NULL
   AND p.permissive
 ORDER BY p.object, e.clause
