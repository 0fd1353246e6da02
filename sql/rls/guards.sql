-- What protects rows and can be lost without a word (object, guard; oid of the relation, 0 for a function): that a table is looked at,
-- its switches, restrictive policies (thing: the policy's oid, which stays when it is renamed), options of views, SECURITY DEFINER and
-- the search_path of functions. check, severity and remedy are for the one who finds it gone.
WITH :scope
SELECT t.oid, t.object, 'row-level security' AS guard, 'M5' AS "check", 'high' AS severity,
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', t.object) AS hint, t.object AS needs, NULL::oid AS thing
  FROM relation AS t
 WHERE t.row_security
 UNION ALL
SELECT t.oid, t.object, 'FORCE ROW LEVEL SECURITY', 'M5', 'medium', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', t.object), t.object, NULL
  FROM relation AS t
 WHERE t.forced
 UNION ALL
SELECT t.oid, t.object, 'its place in the schemas that are looked at', 'M7',
       CASE WHEN t.row_security OR t.oid IN (SELECT oid FROM tenant_table) THEN 'high' ELSE 'info' END,
       'Name the new schema in schemas.', t.object, NULL
  FROM relation AS t
 WHERE t.kind IN ('r', 'p')
 UNION ALL
SELECT t.oid, t.object, 'its way to the tenant', 'M7', 'high', 'Name it in through, as it is called now.', t.object, NULL
  FROM tenant_table AS t
 WHERE t.oid IN (SELECT relation FROM through)
   AND NOT EXISTS (SELECT FROM tenant_column AS c WHERE c.relation = t.oid)
 UNION ALL
SELECT t.oid, t.object, 'its tenant column', 'M7', 'high', 'Name the new column in tenant_column.', t.object, NULL
  FROM tenant_table AS t
 WHERE EXISTS (SELECT FROM tenant_column AS c WHERE c.relation = t.oid)
 UNION ALL
SELECT r.oid, r.object, format('the restrictive policy %I', p.polname), 'M5', 'high',
       format('CREATE POLICY %I ON %s AS RESTRICTIVE …;', p.polname, r.object), r.object, p.oid
  FROM pg_catalog.pg_policy AS p
  JOIN relation AS r ON r.oid = p.polrelid
 WHERE NOT p.polpermissive
 UNION ALL
SELECT v.oid, format('view %s', v.object), split_part(o.option, '=', 1), 'M1', CASE WHEN o.option LIKE 'security\_i%' THEN 'high' ELSE 'medium' END,
       format('ALTER VIEW %s SET (%s = true);', v.object, split_part(o.option, '=', 1)), v.object, NULL
  FROM relation AS v
 CROSS JOIN unnest(v.options) AS o(option)
 WHERE o.option ~ '^security_(invoker|barrier)=(true|on|yes|1)$'
 UNION ALL
SELECT 0, format('function %s', f.oid::regprocedure), g.guard, 'M2', 'medium', format('ALTER ROUTINE %s %s;', f.oid::regprocedure, g.remedy),
       f.oid::regprocedure::text, NULL
  FROM pg_catalog.pg_proc AS f
  JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
 CROSS JOIN pattern AS p
 CROSS JOIN LATERAL (SELECT 'SECURITY DEFINER' AS guard, 'SECURITY DEFINER' AS remedy
                      WHERE f.prosecdef
                      UNION ALL
                     SELECT 'its search_path', 'SET search_path = …'
                      WHERE f.prosecdef
                        AND EXISTS (SELECT FROM unnest(f.proconfig) AS c(setting) WHERE c.setting LIKE 'search\_path=%')) AS g
 WHERE f.oid >= 16384
   AND n.nspname::text LIKE ANY (p.schemas)
 ORDER BY object, guard
