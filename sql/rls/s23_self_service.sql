-- S23, high: a policy reads a table without row security that the application may write: who writes there grants himself rows.
WITH :scope
SELECT DISTINCT 'S23' AS "check", 'high' AS severity, p.object, g.role_name AS role,
       format('the policy reads %s, which has no row security and which the role may write', r.object) AS message,
       format('REVOKE INSERT, UPDATE, DELETE ON %s FROM %s; or ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object,
              CASE WHEN g.grantee = 'PUBLIC' THEN g.grantee ELSE quote_ident(g.grantee) END, r.object) AS hint,
       NULL AS evidence, false AS inconclusive
  FROM policy AS p
  JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
   AND d.refobjid <> p.relation
  JOIN relation AS r ON r.oid = d.refobjid AND r.kind IN ('r', 'p') AND NOT r.row_security
  JOIN granted AS g ON g.relation = r.oid AND g.privilege IN ('INSERT', 'UPDATE', 'DELETE')
 ORDER BY p.object, role
