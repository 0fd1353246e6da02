-- S13, medium: the tenant is written into the policy, or is compared as a pattern with a setting, in which a % matches everybody.
WITH :scope
SELECT DISTINCT 'S13' AS "check", 'medium' AS severity, p.object, NULL AS role,
       CASE WHEN e.expression ~ f.fixed THEN 'the policy has a tenant written into it'
            ELSE 'the tenant is compared as a pattern: % would match every tenant' END AS message,
       'Compare the tenant column with = and the setting.' AS hint, e.expression AS evidence,
       false AS inconclusive
  FROM policy AS p
  JOIN tenant_table AS t ON t.oid = p.relation
  JOIN tenant_column AS c ON c.relation = t.oid
 CROSS JOIN LATERAL (SELECT regexp_replace(quote_ident(c.name), '([^a-zA-Z0-9_])', '\\\1', 'g') AS name) AS n
 CROSS JOIN LATERAL (SELECT format('(\(%1$s|\(\(%1$s\)::[a-z ]+) = (ANY \(+ARRAY\[\(*)?(''[^'']*''::[a-z]|-?[0-9]+[\),\]])|'
                                   '[^a-z0-9_.](''[^'']*''::[a-z ]+|-?[0-9]+) = (%1$s|\(%1$s\)::)', n.name) AS fixed,
                            format('\m%s\)?(::text)? (~~|~|~~\*|~\*) \(?current_setting\(', n.name) AS pattern) AS f
 CROSS JOIN LATERAL (VALUES (p.using_text), (p.check_text)) AS e(expression)
 WHERE p.permissive
   AND (e.expression ~ f.fixed OR e.expression ~ f.pattern)
 ORDER BY p.object
