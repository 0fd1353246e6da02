-- S17: rights on which policies have no say. high: TRUNCATE removes the rows of all. medium: TRIGGER runs the role's code on rows of
-- others; REFERENCES asks, by foreign keys of its own, which rows there are.
WITH :scope
SELECT 'S17' AS "check", CASE WHEN bool_or(g.privilege = 'TRUNCATE') THEN 'high' ELSE 'medium' END AS severity, t.object,
       g.role_name AS role,
       format('has %s, on which policies have no say', string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)) AS message,
       string_agg(DISTINCT format('REVOKE %s ON %s FROM %s;', g.privilege, t.object,
                                  CASE WHEN g.grantee = 'PUBLIC' THEN g.grantee ELSE quote_ident(g.grantee) END), ' ') AS hint,
       format('granted to %s', string_agg(DISTINCT g.grantee, ', ' ORDER BY g.grantee)) AS evidence,
       false AS inconclusive
  FROM tenant_table AS t
  JOIN granted AS g ON g.relation = t.oid
 WHERE g.privilege IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')
 GROUP BY t.object, g.role_name
 ORDER BY t.object, g.role_name
