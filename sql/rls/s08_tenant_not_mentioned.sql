-- S8, medium: a permissive policy that asks who somebody is, but not whose the row is: it mentions no tenant column of its table.
-- Known from what the policy depends on, not from its text. One that asks other tables about the row may find the tenant there.
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
       false AS inconclusive
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
  JOIN tenant_key AS c ON c.relation = t.oid
 WHERE p.permissive
   AND COALESCE(p.using_text, p.check_text) NOT IN ('true', 'false')
   AND COALESCE(p.check_text, '') <> 'true'
   AND NOT EXISTS (SELECT FROM mention AS m WHERE m.policy = p.oid)
   AND p.oid NOT IN (SELECT oid FROM guarded)
 ORDER BY p.object
