-- What an application relies on: kind, id (stays the same when it is renamed), id of what it belongs to, object, its own name,
-- what is said of it, and the value. $1, $2, $3 are the history's schema, table and log, which are left out.
WITH relation AS (
    SELECT c.*, pg_catalog.format('%I.%I', n.nspname, c.relname) AS object
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND c.relpersistence <> 't'
       AND n.nspname <> 'information_schema'
       AND n.nspname !~ '^pg_'
       AND NOT (n.nspname = $1 AND c.relname IN ($2, $3))
)
SELECT CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind,
       r.oid::pg_catalog.text AS id, NULL AS parent, r.object, r.object AS own, a.what, a.value
  FROM relation AS r
 CROSS JOIN LATERAL (VALUES
       ('row level security', CASE WHEN NOT r.relrowsecurity THEN 'off' WHEN r.relforcerowsecurity THEN 'forced' ELSE 'on' END),
       ('security_invoker', CASE WHEN r.relkind = 'v' AND (SELECT o.option_value
                                         FROM pg_catalog.pg_options_to_table(r.reloptions) AS o
                                        WHERE o.option_name = 'security_invoker') IN ('true', 'on', 'yes', '1')
                                 THEN 'on' ELSE 'off' END),
       ('privileges', (SELECT pg_catalog.string_agg(p::pg_catalog.text, ', ' ORDER BY p::pg_catalog.text)
                         FROM pg_catalog.unnest(COALESCE(r.relacl, pg_catalog.acldefault(CASE WHEN r.relkind = 'S' THEN 's'
                                                             ELSE 'r' END::"char", r.relowner))) AS p))
       ) AS a (what, value)
UNION ALL
SELECT 'column', pg_catalog.format('%s.%s', r.oid, c.attnum), r.oid::pg_catalog.text,
       r.object || '.' || pg_catalog.quote_ident(c.attname), pg_catalog.quote_ident(c.attname), a.what, a.value
  FROM relation AS r
  JOIN pg_catalog.pg_attribute AS c ON c.attrelid = r.oid
 CROSS JOIN LATERAL (VALUES
       ('type', pg_catalog.format_type(c.atttypid, c.atttypmod)),
       ('NOT NULL', CASE WHEN c.attnotnull THEN 'on' ELSE 'off' END),
       ('required', CASE WHEN c.attnotnull AND NOT c.atthasdef AND c.attidentity = '' THEN 'on' ELSE 'off' END),
       ('privileges', (SELECT pg_catalog.string_agg(p::pg_catalog.text, ', ' ORDER BY p::pg_catalog.text)
                         FROM pg_catalog.unnest(c.attacl) AS p))
       ) AS a (what, value)
 WHERE c.attnum > 0
   AND NOT c.attisdropped
   AND r.relkind <> 'S'
UNION ALL
SELECT 'function', p.oid::pg_catalog.text, NULL, s.signature, s.signature, a.what, a.value
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 CROSS JOIN LATERAL (SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                                              pg_catalog.pg_get_function_identity_arguments(p.oid)) AS signature) AS s
 CROSS JOIN LATERAL (VALUES
       ('SECURITY DEFINER', CASE WHEN p.prosecdef THEN 'on' ELSE 'off' END),
       ('search_path', (SELECT c FROM pg_catalog.unnest(p.proconfig) AS c WHERE pg_catalog.starts_with(c, 'search_path='))),
       ('privileges', (SELECT pg_catalog.string_agg(x::pg_catalog.text, ', ' ORDER BY x::pg_catalog.text)
                         FROM pg_catalog.unnest(COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS x))
       ) AS a (what, value)
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT
                     FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'policy', y.oid::pg_catalog.text, r.oid::pg_catalog.text, pg_catalog.format('%s on %s', pg_catalog.quote_ident(y.polname), r.object),
       pg_catalog.quote_ident(y.polname), 'definition',
       pg_catalog.concat_ws(' ', CASE WHEN y.polpermissive THEN 'permissive' ELSE 'restrictive' END, y.polcmd::pg_catalog.text,
                 (SELECT pg_catalog.string_agg(COALESCE(o.rolname, 'public'), ', ' ORDER BY o.rolname)
                    FROM pg_catalog.unnest(y.polroles) AS u (role)
                    LEFT JOIN pg_catalog.pg_roles AS o ON o.oid = u.role),
                 'USING ' || pg_catalog.pg_get_expr(y.polqual, y.polrelid),
                 'CHECK ' || pg_catalog.pg_get_expr(y.polwithcheck, y.polrelid))
  FROM relation AS r
  JOIN pg_catalog.pg_policy AS y ON y.polrelid = r.oid
UNION ALL
SELECT 'schema', n.oid::pg_catalog.text, NULL, pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(n.nspname), 'privileges',
       (SELECT pg_catalog.string_agg(p::pg_catalog.text, ', ' ORDER BY p::pg_catalog.text)
          FROM pg_catalog.unnest(COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS p)
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
