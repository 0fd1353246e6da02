-- S9, high: WITH CHECK lets rows of another tenant in: it does not look at the tenant column, and no restrictive policy does. A
-- policy without WITH CHECK is none of these: USING is applied to new rows, too. medium where a trigger before the change may set
-- the column.
WITH :scope, mention AS (
    -- Whether the stored expression has the table's own tenant column in it.
    SELECT p.oid, bool_or(p.using_tree LIKE '%{VAR :varno 1 :varattno ' || c.number || ' %') AS in_using,
           bool_or(COALESCE(p.check_tree, p.using_tree) LIKE '%{VAR :varno 1 :varattno ' || c.number || ' %') AS in_check
      FROM policy AS p
      JOIN tenant_column AS c ON c.relation = p.relation
     GROUP BY p.oid
)
SELECT 'S9' AS "check",
       CASE WHEN EXISTS (SELECT
                           FROM pg_catalog.pg_trigger AS g
                          WHERE g.tgrelid = t.oid AND NOT g.tgisinternal AND (g.tgtype & 2) = 2 AND (g.tgtype & 1) = 1)
            THEN 'medium' ELSE 'high' END AS severity,
       p.object, NULL AS role, 'WITH CHECK does not look at the tenant: rows can be given to another one' AS message,
       format('ALTER POLICY %I ON %s WITH CHECK (%s);', p.name, p.table_object, COALESCE(p.using_text, '…')) AS hint,
       format('WITH CHECK (%s)', p.check_text) AS evidence,
       false AS inconclusive
  FROM policy AS p
  JOIN mention AS m ON m.oid = p.oid
  JOIN tenant_table AS t ON t.oid = p.relation
 WHERE p.permissive
   AND p.check_text NOT IN ('true', 'false')
   AND m.in_using
   AND NOT m.in_check
   AND p.check_tree NOT LIKE '%{SUBLINK %'
   AND NOT EXISTS (SELECT
                     FROM policy AS o
                     JOIN mention AS n ON n.oid = o.oid
                    WHERE o.relation = t.oid AND NOT o.permissive AND o.command IN (p.command, '*') AND n.in_check)
 ORDER BY p.object
