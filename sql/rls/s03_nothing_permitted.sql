-- S3, medium: row security is on, and no permissive policy shows anybody a row: none at all, or restrictive ones only. A
-- permissive policy without USING shows nothing either: the server takes the missing expression as false. A table that is
-- locked on purpose belongs among the exempt, or into the baseline.
WITH :scope
SELECT 'S3' AS "check", 'medium' AS severity, t.object, NULL AS role,
       'row-level security is on, but no permissive policy shows a row to anybody' AS message,
       format('CREATE POLICY … ON %s USING (…);', t.object) AS hint,
       CASE WHEN EXISTS (SELECT FROM policy AS p WHERE p.relation = t.oid)
            THEN 'its policies are restrictive, or have no USING' ELSE 'it has no policy' END AS evidence,
       false AS inconclusive
  FROM tenant_table AS t
 WHERE t.row_security
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = t.oid)
   AND NOT EXISTS (SELECT
                     FROM policy AS p
                    WHERE p.relation = t.oid AND p.permissive AND p.command IN ('r', '*') AND p.using_text IS NOT NULL)
 ORDER BY t.object
