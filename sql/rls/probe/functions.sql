-- Functions that run as who owns them, need no argument and answer sets of rows with a tenant column, and who may execute them.
WITH :scope, result AS (
    SELECT f.oid, format('%I.%I', n.nspname, f.proname) AS object, a.attname AS tenant
      FROM pg_catalog.pg_proc AS f
      JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
      JOIN pg_catalog.pg_type AS t ON t.oid = f.prorettype
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE f.prosecdef AND f.proretset AND f.prokind = 'f' AND f.pronargs = f.pronargdefaults
    UNION ALL
    SELECT f.oid, format('%I.%I', n.nspname, f.proname), u.name
      FROM pg_catalog.pg_proc AS f
      JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
     CROSS JOIN LATERAL unnest(f.proargmodes, f.proargnames) AS u (mode, name)
     WHERE f.prosecdef AND f.proretset AND f.prokind = 'f' AND f.pronargs = f.pronargdefaults AND u.mode IN ('t', 'o')
)
SELECT DISTINCT ON (f.oid) f.oid, f.object, f.tenant, format('r.%I', f.tenant) AS before
  FROM result AS f
 CROSS JOIN pattern AS p
 WHERE f.tenant::text LIKE ANY (p.tenant_columns)
   AND f.object !~ '^(pg_catalog|information_schema)\.'
   AND NOT EXISTS (SELECT
                     FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
 ORDER BY f.oid, f.object
