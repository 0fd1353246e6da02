-- S7, high: a permissive policy whose expression is true for every row: true, 'a' = 'a', t = t, true OR …. By hand this lists
-- the expressions, in which a column that is NOT NULL is no question; the program judges them. One beside a restrictive policy that
-- looks at the tenant is none of these. A table that all may read belongs among the exempt. A missing expression is no such thing:
-- the server takes it as false.
WITH :scope
SELECT 'S7' AS "check", 'high' AS severity, p.object, NULL AS role, 'the policy is true for every row' AS message,
       format('ALTER POLICY %I ON %s %s (…);', p.name, p.table_object, e.clause) AS hint,
       format('%s (%s)', e.clause, e.expression) AS evidence, false AS inconclusive,
       CASE WHEN e.expression LIKE '% IS NOT NULL%'
            THEN regexp_replace(e.expression,
                                (SELECT format('\m(%s) IS NOT NULL\M',
                                               string_agg(regexp_replace(quote_ident(a.attname), '([^a-zA-Z0-9_])', '\\\1', 'g'), '|'))
                                   FROM pg_catalog.pg_attribute AS a
                                  WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull),
                                'true', 'g')
            ELSE e.expression END AS expression,
       NULL AS about
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
 CROSS JOIN LATERAL (VALUES ('USING', p.using_text), ('WITH CHECK', p.check_text)) AS e(clause, expression)
 WHERE e.expression IS NOT NULL
   AND p.permissive
   AND p.oid NOT IN (SELECT oid FROM guarded)
 ORDER BY p.object, e.clause
