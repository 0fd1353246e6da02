-- S4, high: the application works as the owner of the table, or has his rights, and FORCE is missing: it sees everything.
-- medium: it may become the owner by SET ROLE. FORCE is not asked for where the application cannot be the owner: migrations
-- and dumps run as he.
WITH :scope
SELECT 'S4' AS "check", CASE WHEN m.inherits THEN 'high' ELSE 'medium' END AS severity, t.object, a.name AS role,
       CASE WHEN a.oid = t.owner THEN 'the role owns the table, and row-level security is not forced on owners'
            WHEN m.inherits THEN 'the role has the rights of the owner, on whom row-level security is not forced'
            ELSE 'the role may become the owner, on whom row-level security is not forced' END AS message,
       CASE WHEN a.oid = t.owner THEN format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', t.object)
            ELSE format('REVOKE %I FROM %I; or ALTER TABLE %s FORCE ROW LEVEL SECURITY;', o.rolname, a.name, t.object) END AS hint,
       format('owner %I', o.rolname) AS evidence,
       false AS inconclusive
  FROM tenant_table AS t
  JOIN pg_catalog.pg_roles AS o ON o.oid = t.owner
 CROSS JOIN app_role AS a
 CROSS JOIN LATERAL (SELECT pg_catalog.pg_has_role(a.oid, t.owner, 'USAGE') AS inherits,
                            pg_catalog.pg_has_role(a.oid, t.owner, CASE WHEN current_setting('server_version_num')::int >= 160000
                                                                        THEN 'SET' ELSE 'MEMBER' END) AS becomes) AS m
 WHERE t.row_security
   AND NOT t.forced
   AND NOT a.superuser
   AND NOT a.bypass
   AND (m.inherits OR m.becomes)
 ORDER BY t.object, a.name
