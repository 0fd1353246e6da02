-- S12, medium: policies that know the tenant by CURRENT_USER or SESSION_USER, while the application has one role for all. Not where
-- each tenant has a role of its own (tenant_role).
WITH :scope
SELECT DISTINCT 'S12' AS "check", 'medium' AS severity, p.object, NULL AS role,
       'the policy asks who is logged in, and the application logs in as one role for all tenants' AS message,
       'Compare with a setting that the application makes for each transaction.' AS hint, e.expression AS evidence,
       false AS inconclusive
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
 CROSS JOIN LATERAL (VALUES (p.using_text), (p.check_text)) AS e(expression)
 WHERE p.permissive
   AND regexp_replace(e.expression, '''[^'']*''', '', 'g') ~ '\m(CURRENT_USER|SESSION_USER|CURRENT_ROLE|USER)\M'
   AND e.expression !~ 'current_setting\('
   AND NOT (SELECT value ? 'tenant_role' FROM setting)
   AND (SELECT count(*) FROM app_role) = 1
 ORDER BY p.object
