-- S26, low: policies that say the same twice, and policies for a role to which no policy applies.
WITH :scope
SELECT 'S26' AS "check", 'low' AS severity, p.object, NULL AS role,
       format('says the same as policy %I', p.first) AS message,
       format('DROP POLICY %I ON %s;', p.name, p.table_object) AS hint, NULL AS evidence, false AS inconclusive
  FROM (SELECT p.*, first_value(p.name) OVER same AS first
          FROM policy AS p
        WINDOW same AS (PARTITION BY p.relation, p.permissive, p.command, p.roles, p.using_text, p.check_text ORDER BY p.name)) AS p
 WHERE p.name <> p.first
 UNION ALL
SELECT 'S26', 'low', p.object, min(r.rolname)::text, 'is for a role to which no policy applies', NULL, NULL, false
  FROM policy AS p
 CROSS JOIN unnest(p.roles) AS u(role)
  JOIN pg_catalog.pg_roles AS r ON r.oid = u.role
 GROUP BY p.object
HAVING bool_and(r.rolsuper OR r.rolbypassrls)
 ORDER BY object
