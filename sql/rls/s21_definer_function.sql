-- S21: SECURITY DEFINER functions that the application may call. high: its owner sees all rows of a table that the body names.
-- medium: no search_path of its own, so that the caller chooses whose tables and operators it uses. Functions that a policy calls
-- may have to see all of a membership table; trigger functions cannot be called.
WITH :scope, definer AS MATERIALIZED (
    SELECT f.oid, format('function %s', f.oid::regprocedure) AS object, f.oid::regprocedure::text AS signature, f.proowner AS owner,
           f.proconfig AS config, f.proacl AS acl, f.prosrc || COALESCE(to_jsonb(f) ->> 'prosqlbody', '') AS body,
           f.prorettype = 'trigger'::regtype AS trigger, n.nspname::text LIKE ANY (p.schemas) AS looked_at,
           EXISTS (SELECT
                     FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
                      AND d.refobjid = f.oid) AS in_policy
      FROM pg_catalog.pg_proc AS f
      JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
     CROSS JOIN pattern AS p
     WHERE f.prosecdef
       AND n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_depend AS d
                        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
), function AS (
    -- For each role that may call it.
    SELECT d.*, a.name AS role
      FROM definer AS d
      JOIN app_role AS a
        ON a.oid <> d.owner
       AND (d.acl IS NULL
            OR EXISTS (SELECT
                         FROM aclexplode(d.acl) AS e
                        WHERE e.grantee = 0 OR pg_catalog.pg_has_role(a.oid, e.grantee, 'USAGE')))
), word AS MATERIALIZED (
    -- A body may write a name in capitals.
    SELECT DISTINCT d.oid, w.word
      FROM definer AS d
     CROSS JOIN LATERAL regexp_split_to_table(d.body, '[^a-zA-Z0-9_]+') AS s(word)
     CROSS JOIN LATERAL (VALUES (s.word), (lower(s.word))) AS w(word)
     WHERE NOT d.trigger
       AND NOT d.in_policy
), named AS MATERIALIZED (
    SELECT w.oid, t.oid AS relation
      FROM word AS w
      JOIN tenant_table AS t ON t.name::text = w.word
     UNION
    SELECT d.oid, t.oid
      FROM tenant_table AS t
      JOIN definer AS d ON strpos(d.body, t.name::text) > 0
     WHERE t.name::text ~ '[^a-zA-Z0-9_]'
     UNION
    SELECT d.objid, d.refobjid
      FROM pg_catalog.pg_depend AS d
     WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.objid IN (SELECT oid FROM definer)
)
SELECT DISTINCT 'S21' AS "check", 'high' AS severity, f.object, f.role,
       format('runs as %I, who is not subject to the policies of %s, and names that table', e.name, t.object) AS message,
       format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC, %I; or ALTER ROUTINE %s SECURITY INVOKER;', f.signature, f.role, f.signature)
           AS hint,
       NULL AS evidence, false AS inconclusive
  FROM named AS n
  JOIN function AS f ON f.oid = n.oid
  JOIN tenant_table AS t ON t.oid = n.relation
  JOIN exempt_owner AS e ON e.relation = n.relation AND e.role = f.owner
 WHERE NOT f.trigger
   AND NOT f.in_policy
 UNION ALL
SELECT 'S21', 'medium', f.object, min(f.role),
       'is SECURITY DEFINER without a search_path of its own',
       format('ALTER ROUTINE %s SET search_path = pg_catalog, pg_temp;', f.signature), NULL, false
  FROM function AS f
 WHERE f.looked_at
   AND NOT EXISTS (SELECT FROM unnest(f.config) AS c(setting) WHERE c.setting LIKE 'search\_path=%')
 GROUP BY f.object, f.signature
 ORDER BY object, role
