-- S28, low: this role cannot take a dump: pg_dump stops at tables whose policies apply to it, and with --enable-row-security it
-- leaves rows out without a word. By hand: SET ROLE to the role that takes backups.
WITH :scope
SELECT 'S28' AS "check", 'low' AS severity, format('role %I', CURRENT_USER) AS object, CURRENT_USER::text AS role,
       format('policies of %s table%s apply to the role: a backup by it fails', count(*), CASE WHEN count(*) = 1 THEN '' ELSE 's' END)
           AS message,
       format('Take backups as a superuser, or ALTER ROLE %I BYPASSRLS;', CURRENT_USER) AS hint,
       format('%s', (array_agg(t.object ORDER BY t.object))[1:3]) AS evidence, false AS inconclusive
  FROM relation AS t
 WHERE t.row_security
   AND pg_catalog.row_security_active(t.oid)
HAVING count(*) > 0
