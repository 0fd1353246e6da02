-- What the section [rls] might say of this database: key and value, in the order in which they are to stand. The tenant column is
-- one that policies compare or that is named like one; names that a list cannot hold are left out.
WITH base AS (
    SELECT c.oid, n.nspname AS schema, format('%s.%s', n.nspname, c.relname) AS name, c.relowner AS owner, c.relacl AS acl,
           c.relrowsecurity AS row_security
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p')
       AND NOT c.relispartition
       AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema'
       AND format('%s.%s', n.nspname, c.relname) ~ '^[[:alnum:]_$.]+$'
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_depend AS d
                        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), candidate AS (
    SELECT a.attname::text AS name, count(*) AS tables,
           count(*) FILTER (WHERE EXISTS (SELECT
                                            FROM pg_catalog.pg_depend AS d
                                           WHERE d.classid = 'pg_catalog.pg_policy'::regclass
                                             AND d.refclassid = 'pg_catalog.pg_class'::regclass
                                             AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum)) AS compared,
           a.attname::text ~* '^(.*_)?(tenant|org|organi[sz]ation|account|customer|company|workspace|client)(_?(id|uuid|key|no))?$' AS named
      FROM base AS b
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE a.attname::text ~ '^[[:alnum:]_$]+$'
     GROUP BY a.attname
), tenant_column AS (
    SELECT c.name
      FROM candidate AS c
     WHERE c.named OR (c.compared > 0 AND c.tables > 1 AND c.name <> 'id')
     ORDER BY c.compared > 0 AND c.named DESC, c.compared DESC, c.tables DESC, c.name
     LIMIT 1
), owned AS (
    SELECT b.*
      FROM base AS b
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN tenant_column AS c ON c.name = a.attname::text
), foreign_key AS (
    SELECT f.conrelid AS child, f.confrelid AS parent,
           NOT EXISTS (SELECT
                         FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey) AND NOT a.attnotnull) AS always
      FROM pg_catalog.pg_constraint AS f
     WHERE f.contype = 'f'
), through AS (
    SELECT DISTINCT ON (b.name) b.oid, b.name, p.name AS parent
      FROM base AS b
      JOIN foreign_key AS f ON f.child = b.oid AND f.always
      JOIN owned AS p ON p.oid = f.parent
     WHERE b.oid NOT IN (SELECT oid FROM owned)
     ORDER BY b.name, p.name
), exempt AS (
    -- What tables of tenants point at, and has neither a tenant nor policies: their list, and what all share.
    SELECT b.name
      FROM base AS b
     WHERE b.oid NOT IN (SELECT oid FROM owned)
       AND b.oid NOT IN (SELECT oid FROM through)
       AND NOT b.row_security
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = b.oid)
       AND EXISTS (SELECT FROM foreign_key AS f JOIN owned AS o ON o.oid = f.child WHERE f.parent = b.oid)
), role AS (
    SELECT r.rolname::text AS name
      FROM pg_catalog.pg_roles AS r
     WHERE r.rolcanlogin
       AND NOT r.rolsuper
       AND r.rolname::text ~ '^[[:alnum:]_$]+$'
       AND r.oid NOT IN (SELECT b.owner FROM base AS b)
       AND EXISTS (SELECT
                     FROM (SELECT DISTINCT a.grantee FROM owned AS o CROSS JOIN LATERAL aclexplode(o.acl) AS a) AS g
                    WHERE g.grantee <> 0 AND pg_catalog.pg_has_role(r.oid, g.grantee, 'MEMBER'))
), tenant_setting AS (
    SELECT DISTINCT m.parts[1] AS name
      FROM pg_catalog.pg_policy AS p
     CROSS JOIN LATERAL (VALUES (pg_catalog.pg_get_expr(p.polqual, p.polrelid)),
                                (pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))) AS e(text)
     CROSS JOIN LATERAL regexp_matches(e.text, 'current_setting\(''([[:alnum:]_$.]+)''', 'g') AS m(parts)
)
SELECT s.key, s.value
  FROM (SELECT 1 AS place, 'schemas' AS key, (SELECT string_agg(DISTINCT o.schema::text, ', ') FROM owned AS o) AS value
         UNION ALL
        SELECT 2, 'tenant_column', (SELECT c.name FROM tenant_column AS c)
         UNION ALL
        SELECT 3, 'tenant_setting', (SELECT string_agg(t.name, ', ' ORDER BY t.name) FROM tenant_setting AS t)
         UNION ALL
        SELECT 4, 'roles', (SELECT string_agg(r.name, ', ' ORDER BY r.name) FROM role AS r)
         UNION ALL
        SELECT 5, 'exempt', (SELECT string_agg(e.name, ', ' ORDER BY e.name) FROM exempt AS e)
         UNION ALL
        SELECT 6, 'through.' || t.name, t.parent FROM through AS t) AS s
 WHERE s.value IS NOT NULL
 ORDER BY s.place, s.key
