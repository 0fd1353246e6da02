-- S24, low: what a table will have when it is made: default privileges to PUBLIC or to a role of the application reach it before its
-- policies do; and a schema in which everybody may make objects.
WITH :scope
SELECT 'S24' AS "check", 'low' AS severity,
       format('default privileges of %I%s', o.rolname, COALESCE(' in schema ' || quote_ident(n.nspname), '')) AS object,
       COALESCE(a.name::text, 'PUBLIC') AS role,
       format('new tables give %s to it before they have policies', string_agg(e.privilege_type, ', ' ORDER BY e.privilege_type)) AS message,
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON TABLES FROM %s;', o.rolname,
              COALESCE(' IN SCHEMA ' || quote_ident(n.nspname), ''), COALESCE(quote_ident(a.name), 'PUBLIC')) AS hint,
       NULL AS evidence, false AS inconclusive
  FROM pg_catalog.pg_default_acl AS d
  JOIN pg_catalog.pg_roles AS o ON o.oid = d.defaclrole
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
 CROSS JOIN pattern AS p
 CROSS JOIN LATERAL aclexplode(d.defaclacl) AS e
  LEFT JOIN app_role AS a ON a.oid = e.grantee
 WHERE d.defaclobjtype = 'r'
   AND (e.grantee = 0 OR a.oid IS NOT NULL)
   AND (n.nspname IS NULL OR n.nspname::text LIKE ANY (p.schemas))
 GROUP BY o.rolname, n.nspname, a.name
 UNION ALL
SELECT 'S24', 'low', format('schema %I', n.nspname), 'PUBLIC', 'everybody may make objects in it',
       format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname), NULL, false
  FROM pg_catalog.pg_namespace AS n
 CROSS JOIN LATERAL aclexplode(n.nspacl) AS e
 WHERE e.grantee = 0
   AND e.privilege_type = 'CREATE'
   AND EXISTS (SELECT FROM tenant_table AS t WHERE t.relnamespace = n.oid)
 ORDER BY object, role
