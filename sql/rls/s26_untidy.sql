-- S26, low: policies that say the same twice, and policies for a role to which no policy applies.
WITH :scope
SELECT 'S26' AS "check", 'low' AS severity, max(p.object) AS object, NULL AS role,
       format('says the same as policy %I', min(p.name)) AS message,
       format('DROP POLICY %I ON %s;', max(p.name), min(p.table_object)) AS hint, NULL AS evidence, false AS inconclusive
  FROM policy AS p
 GROUP BY p.relation, p.permissive, p.command, p.roles, p.using_text, p.check_text
HAVING count(*) > 1
 UNION ALL
SELECT 'S26', 'low', p.object, min(r.rolname)::text, 'is for a role to which no policy applies', NULL, NULL, false
  FROM policy AS p
 CROSS JOIN unnest(p.roles) AS u(role)
  JOIN pg_catalog.pg_roles AS r ON r.oid = u.role
 GROUP BY p.object
HAVING bool_and(r.rolsuper OR r.rolbypassrls)
 ORDER BY object
