-- What the settings name and the database has nowhere: the key, what it names, and the name, with * for anything. Tables that
-- are exempt, or that would reach their tenant through another, may be missing.
WITH :scope, wanted AS (
    SELECT 'schemas' AS key, 'schema' AS what, u.name,
           EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname::text LIKE u.name) AS present
      FROM pattern AS p
     CROSS JOIN unnest(p.schemas) AS u(name)
     UNION ALL
    SELECT 'tenant_column', 'column', u.name, EXISTS (SELECT FROM tenant_column AS c WHERE c.name::text LIKE u.name)
      FROM pattern AS p
     CROSS JOIN unnest(p.tenant_columns) AS u(name)
     UNION ALL
    SELECT 'roles', 'role', u.name, EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname::text LIKE u.name)
      FROM pattern AS p
     CROSS JOIN unnest(p.roles) AS u(name)
     UNION ALL
    -- A parent is a name as it stands, not a pattern.
    SELECT 'through.' || e.key, 'table', replace(replace(replace(e.value, '\', '\\'), '_', '\_'), '%', '\%'),
           EXISTS (SELECT FROM relation AS r WHERE e.value IN (format('%s.%s', r.schema, r.name), r.name::text))
      FROM setting AS s
     CROSS JOIN LATERAL jsonb_each_text(COALESCE(s.value -> 'through', '{}')) AS e
     WHERE EXISTS (SELECT FROM relation AS r WHERE e.key IN (format('%s.%s', r.schema, r.name), r.name::text))
)
SELECT w.key, w.what, regexp_replace(regexp_replace(w.name, '(?<!\\)%', '*', 'g'), '\\(.)', '\1', 'g') AS name
  FROM wanted AS w
 WHERE NOT w.present
 ORDER BY w.key, w.name
