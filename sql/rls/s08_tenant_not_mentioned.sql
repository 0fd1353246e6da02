-- S8, medium: a permissive policy that asks who somebody is, but not whose the row is: it mentions no tenant column of its table.
-- Known from what the policy depends on, not from its text. One that asks other tables about the row may find the tenant there.
-- The same of one branch of an OR, low where the branch only asks who somebody is: by hand this lists the expressions, and the program
-- judges them. high: a column compared with itself in a subquery, where a name means the subquery's table first.
WITH :scope, mention AS (
    -- Policies that depend on a tenant column, or on another table.
    SELECT DISTINCT d.objid AS policy, d.refobjid = p.relation AS own
      FROM policy AS p
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
     WHERE (d.refobjid <> p.relation
            AND EXISTS (SELECT
                          FROM pg_catalog.pg_depend AS o
                         WHERE o.classid = 'pg_catalog.pg_policy'::regclass AND o.objid = p.oid
                           AND o.refclassid = 'pg_catalog.pg_class'::regclass AND o.refobjid = p.relation AND o.refobjsubid > 0))
        OR (d.refobjid = p.relation
            AND EXISTS (SELECT FROM tenant_column AS c WHERE c.relation = p.relation AND c.number = d.refobjsubid))
)
SELECT 'S8' AS "check", 'medium' AS severity, p.object, NULL AS role,
       'the policy does not look at the tenant of the row' AS message,
       format('ALTER POLICY %I ON %s … (… %I = …);', p.name, p.table_object, c.name) AS hint,
       concat_ws(' ', 'USING (' || p.using_text || ')', 'WITH CHECK (' || p.check_text || ')') AS evidence,
       false AS inconclusive, NULL AS expression, NULL AS about
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
  JOIN tenant_key AS c ON c.relation = t.oid
 WHERE p.permissive
   AND COALESCE(p.using_text, p.check_text) NOT IN ('true', 'false')
   AND COALESCE(p.check_text, '') <> 'true'
   AND NOT EXISTS (SELECT FROM mention AS m WHERE m.policy = p.oid)
   AND p.oid NOT IN (SELECT oid FROM guarded)
 UNION ALL
SELECT 'S8', b.severity, p.object, NULL, format('a branch of its OR %s', b.message),
       format('ALTER POLICY %I ON %s … (… %I = … AND (…));', p.name, p.table_object, c.name),
       format('%s (%s)', e.clause, e.expression), false, e.expression, jsonb_build_object('branch', b.branch, 'columns', c.names)::text
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
  JOIN tenant_key AS c ON c.relation = t.oid
 CROSS JOIN LATERAL (VALUES ('USING', p.using_text), ('WITH CHECK', p.check_text)) AS e(clause, expression)
 CROSS JOIN (VALUES ('row', 'medium', 'looks at the row, but not at its tenant'),
                    ('session', 'low', 'is true for the rows of every tenant')) AS b(branch, severity, message)
 WHERE p.permissive
   AND e.expression LIKE '% OR %'
   AND p.oid NOT IN (SELECT oid FROM guarded)
 UNION ALL
SELECT 'S8', 'high', p.object, NULL, format('compares %s with itself: in the subquery that name means its own table', m[1]),
       format('Write the column of the row with its table: %s.%I.', p.table_object, c.name),
       format('%s (%s)', e.clause, e.expression), false, NULL, NULL
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
  JOIN tenant_key AS c ON c.relation = t.oid
 CROSS JOIN LATERAL (VALUES ('USING', p.using_text), ('WITH CHECK', p.check_text)) AS e(clause, expression)
 CROSS JOIN LATERAL regexp_matches(e.expression, '\(([^ ()]+\.[^ ()]+) = \1\)') AS m
 WHERE e.expression LIKE '%SELECT%'
 ORDER BY object, message
