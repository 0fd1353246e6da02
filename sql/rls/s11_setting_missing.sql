-- S11: what happens when the setting that names the tenant is not there. low: current_setting(name) raises an error where it was
-- never set; and with (name, true) it is '' after a transaction that had SET LOCAL, which a cast to a number or uuid does not
-- take. medium: a name without a dot is a parameter of the server.
WITH :scope, use AS (
    SELECT p.object, m[1] AS setting, m[2] IS NOT NULL AS lenient, e.expression
      FROM policy AS p
     CROSS JOIN LATERAL (VALUES (p.using_text), (p.check_text)) AS e(expression)
     CROSS JOIN LATERAL regexp_matches(e.expression, 'current_setting\(''([^'']*)''::text(, true)?\)', 'g') AS m
)
SELECT DISTINCT 'S11' AS "check", CASE WHEN u.setting NOT LIKE '%.%' THEN 'medium' ELSE 'low' END AS severity, u.object,
       NULL AS role,
       CASE WHEN u.setting NOT LIKE '%.%' THEN 'the setting has no dot in its name: it is a parameter of the server'
            WHEN NOT u.lenient THEN 'where the setting was never made, every statement fails'
            ELSE 'after a transaction that had made the setting it is empty, and the cast fails' END AS message,
       format('NULLIF(current_setting(%L, true), %L)', CASE WHEN u.setting NOT LIKE '%.%' THEN 'app.' ELSE '' END || u.setting, '')
           AS hint,
       u.expression AS evidence, false AS inconclusive
  FROM use AS u
 WHERE u.setting NOT LIKE '%.%'
    OR NOT u.lenient
    OR u.expression ~ '\(current_setting\(''[^'']*''::text, true\)\)::(integer|bigint|smallint|numeric|uuid|boolean)'
 ORDER BY u.object, message
