-- S8, medium: a permissive policy that asks who somebody is, but not whose the row is: it mentions no tenant column of its table.
-- Known from what the policy depends on, not from its text. One that looks into other tables may find the tenant there.
WITH :scope, mention AS (
    -- Policies that depend on a tenant column, or on another table.
    SELECT DISTINCT d.objid AS policy, d.refobjid = p.relation AS own
      FROM policy AS p
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
     WHERE d.refobjid <> p.relation
        OR EXISTS (SELECT FROM tenant_column AS c WHERE c.relation = p.relation AND c.number = d.refobjsubid)
)
SELECT 'S8' AS "check", 'medium' AS severity, p.object, NULL AS role,
       'the policy does not look at the tenant of the row' AS message,
       format('ALTER POLICY %I ON %s … (… %I = …);', p.name, p.table_object, c.name) AS hint,
       concat_ws(' ', 'USING (' || p.using_text || ')', 'WITH CHECK (' || p.check_text || ')') AS evidence,
       false AS inconclusive
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
  JOIN LATERAL (SELECT c.name FROM tenant_column AS c WHERE c.relation = t.oid ORDER BY c.number LIMIT 1) AS c ON true
 WHERE p.permissive
   AND COALESCE(p.using_text, p.check_text) NOT IN ('true', 'false')
   AND COALESCE(p.check_text, '') <> 'true'
   AND NOT EXISTS (SELECT FROM mention AS m WHERE m.policy = p.oid)
   AND NOT EXISTS (SELECT
                     FROM policy AS o
                     JOIN mention AS m ON m.policy = o.oid AND m.own
                    WHERE o.relation = t.oid AND NOT o.permissive AND o.command IN (p.command, '*'))
 ORDER BY p.object
