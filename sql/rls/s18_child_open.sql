-- S18, high: a partition or an inheritance child that the application may use by its own name, while only its parent has row
-- security: policies of the parent count only through the parent. A child without grants is no finding.
WITH RECURSIVE :scope, ancestor AS (
    SELECT i.inhrelid AS child, i.inhparent AS parent
      FROM pg_catalog.pg_inherits AS i
     UNION
    SELECT a.child, j.inhparent
      FROM ancestor AS a
      JOIN pg_catalog.pg_inherits AS j ON j.inhrelid = a.parent
)
SELECT 'S18' AS "check", 'high' AS severity, c.object, g.role_name AS role,
       format('has %s by its own name, where the policies of %s do not count',
              string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege), min(p.object)) AS message,
       format('REVOKE ALL ON %s FROM %s; or ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.object,
              string_agg(DISTINCT CASE WHEN g.grantee = 'PUBLIC' THEN g.grantee ELSE quote_ident(g.grantee) END, ', '), c.object) AS hint,
       format('granted to %s', string_agg(DISTINCT g.grantee, ', ' ORDER BY g.grantee)) AS evidence,
       false AS inconclusive
  FROM relation AS c
  JOIN ancestor AS a ON a.child = c.oid
  JOIN relation AS p ON p.oid = a.parent AND p.row_security
  JOIN granted AS g ON g.relation = c.oid AND g.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
 WHERE c.kind IN ('r', 'p')
   AND NOT c.row_security
   AND NOT c.exempt
 GROUP BY c.object, g.role_name
 ORDER BY c.object, g.role_name
