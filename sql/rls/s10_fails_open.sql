-- S10, high: an expression that becomes true when nobody said who the tenant is: current_setting(…) IS NULL OR …, COALESCE with
-- the row's own column as fallback, IS NOT DISTINCT FROM. By hand this lists the expressions; the program judges them.
WITH :scope
SELECT 'S10' AS "check", 'high' AS severity, p.object, NULL AS role, 'the policy opens when no tenant is set' AS message,
       format('ALTER POLICY %I ON %s %s (…);', p.name, p.table_object, e.clause) AS hint,
       format('%s (%s)', e.clause, e.expression) AS evidence, false AS inconclusive, e.expression,
       CASE WHEN EXISTS (SELECT FROM tenant_column AS c WHERE c.relation = t.oid AND NOT c.not_null) THEN 'nullable' END AS about
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
 CROSS JOIN LATERAL (VALUES ('USING', p.using_text), ('WITH CHECK', p.check_text)) AS e(clause, expression)
 WHERE e.expression IS NOT NULL
   AND p.permissive
 ORDER BY p.object, e.clause
