-- S6, high: asked as the role itself, the server says that row security is not active for it, though S4 and S5 see no reason.
-- By hand: SET ROLE to the role first.
WITH :scope
SELECT 'S6' AS "check", 'high' AS severity, t.object, CURRENT_USER::text AS role,
       'the server does not apply row-level security to this role' AS message,
       NULL AS hint, format('SET ROLE %I; SELECT row_security_active(%L);', CURRENT_USER, t.object) AS evidence,
       false AS inconclusive
  FROM tenant_table AS t
  JOIN pg_catalog.pg_roles AS r ON r.rolname = CURRENT_USER
 WHERE t.row_security
   AND NOT pg_catalog.row_security_active(t.oid)
   AND NOT (r.rolsuper OR r.rolbypassrls OR (NOT t.forced AND pg_catalog.pg_has_role(r.oid, t.owner, 'USAGE')))
 ORDER BY t.object
