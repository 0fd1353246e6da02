-- S21: SECURITY DEFINER functions that the application may call. high: its owner sees all rows of a table that the body names.
-- medium: no search_path of its own, so that the caller chooses whose tables and operators it uses. Functions that a policy calls
-- may have to see all of a membership table; trigger functions cannot be called.
WITH :scope, function AS (
    SELECT f.oid, format('function %s', f.oid::regprocedure) AS object, f.oid::regprocedure::text AS signature, f.proowner AS owner,
           f.proconfig AS config, a.name AS role,
           f.prosrc || COALESCE(to_jsonb(f) ->> 'prosqlbody', '') AS body, f.prorettype = 'trigger'::regtype AS trigger, n.nspname::text LIKE ANY (p.schemas) AS looked_at,
           EXISTS (SELECT
                     FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
                      AND d.refobjid = f.oid) AS in_policy
      FROM pg_catalog.pg_proc AS f
      JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
     CROSS JOIN pattern AS p
     CROSS JOIN app_role AS a
     WHERE f.prosecdef
       AND n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema'
       AND f.proowner <> a.oid
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_depend AS d
                        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
       AND (f.proacl IS NULL
            OR EXISTS (SELECT
                         FROM aclexplode(f.proacl) AS e
                        WHERE e.grantee = 0 OR pg_catalog.pg_has_role(a.oid, e.grantee, 'USAGE')))
)
SELECT DISTINCT 'S21' AS "check", 'high' AS severity, f.object, f.role,
       format('runs as %I, who is not subject to the policies of %s, and names that table', e.name, t.object) AS message,
       format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC, %I; or ALTER ROUTINE %s SECURITY INVOKER;', f.signature, f.role, f.signature)
           AS hint,
       NULL AS evidence, false AS inconclusive
  FROM function AS f
  JOIN exempt_owner AS e ON e.role = f.owner
  JOIN tenant_table AS t ON t.oid = e.relation
 WHERE NOT f.trigger
   AND NOT f.in_policy
   AND (f.body ~ format('(^|[^a-zA-Z0-9_])%s($|[^a-zA-Z0-9_])', regexp_replace(t.name, '([^a-zA-Z0-9_])', '\\\1', 'g'))
        OR EXISTS (SELECT
                     FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid
                      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid))
 UNION ALL
SELECT 'S21', 'medium', f.object, min(f.role),
       'is SECURITY DEFINER without a search_path of its own',
       format('ALTER ROUTINE %s SET search_path = pg_catalog, pg_temp;', f.signature), NULL, false
  FROM function AS f
 WHERE f.looked_at
   AND NOT EXISTS (SELECT FROM unnest(f.config) AS c(setting) WHERE c.setting LIKE 'search\_path=%')
 GROUP BY f.object, f.signature
 ORDER BY object, role
