-- What the section [rls] might say of this database: key and value, in the order in which they are to stand. Tenant columns are
-- those that policies compare and that are named like one, or else the likeliest; names that a list cannot hold are left out.
WITH RECURSIVE base AS (
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
), ranked AS (
    SELECT c.name, c.named AND c.compared > 0 AS certain,
           row_number() OVER (ORDER BY c.compared > 0 AND c.named DESC, c.compared DESC, c.tables DESC, c.name !~* 'tenant', c.name) AS place
      FROM candidate AS c
     WHERE c.named OR (c.compared > 0 AND c.tables > 1 AND c.name <> 'id')
), tenant_column AS (
    SELECT r.name, r.place
      FROM ranked AS r
     WHERE r.certain OR r.place = 1
), owned AS (
    SELECT b.*
      FROM base AS b
     WHERE EXISTS (SELECT
                     FROM pg_catalog.pg_attribute AS a
                     JOIN tenant_column AS c ON c.name = a.attname::text
                    WHERE a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped)
), foreign_key AS (
    SELECT f.conrelid AS child, f.confrelid AS parent,
           NOT EXISTS (SELECT
                         FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey) AND NOT a.attnotnull) AS always
      FROM pg_catalog.pg_constraint AS f
     WHERE f.contype = 'f'
), reach AS (
    -- Whoever always has a parent is of the parent's tenant.
    SELECT o.oid, o.name, NULL::text COLLATE "C" AS parent, 0 AS depth
      FROM owned AS o
     UNION
    SELECT b.oid, b.name, r.name, r.depth + 1
      FROM reach AS r
      JOIN foreign_key AS f ON f.parent = r.oid AND f.always AND f.child <> r.oid
      JOIN base AS b ON b.oid = f.child
     WHERE r.depth < 8
       AND b.oid NOT IN (SELECT oid FROM owned)
), through AS (
    SELECT DISTINCT ON (r.name) r.oid, r.name, r.parent
      FROM reach AS r
     WHERE r.depth > 0
     ORDER BY r.name, r.depth, r.parent
), exempt AS (
    -- What tables of tenants point at, and has neither a tenant nor policies: their list, and what all share.
    SELECT b.name
      FROM base AS b
     WHERE b.oid NOT IN (SELECT oid FROM owned)
       AND b.oid NOT IN (SELECT oid FROM through)
       AND NOT b.row_security
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = b.oid)
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_attribute AS a
                         JOIN candidate AS c ON c.name = a.attname::text AND c.named
                        WHERE a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped)
       AND EXISTS (SELECT FROM foreign_key AS f JOIN reach AS r ON r.oid = f.child WHERE f.parent = b.oid)
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
), source AS (
    -- What policies say, and the functions that they call.
    SELECT e.text
      FROM pg_catalog.pg_policy AS p
     CROSS JOIN LATERAL (VALUES (pg_catalog.pg_get_expr(p.polqual, p.polrelid)),
                                (pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))) AS e(text)
     UNION
    SELECT f.prosrc || COALESCE(to_jsonb(f) ->> 'prosqlbody', '')
      FROM pg_catalog.pg_depend AS d
      JOIN pg_catalog.pg_proc AS f ON f.oid = d.refobjid
     WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
), asked AS (
    -- Settings, and the path to a claim where one holds JSON: current_setting('claims', true)::json -> 'app' ->> 'tenant_id'.
    SELECT m.parts[1] AS name,
           ARRAY(SELECT k.parts[1]
                   FROM regexp_matches(m.parts[2], '->>?\s*''([^'']+)''', 'g') WITH ORDINALITY AS k(parts, place)
                  ORDER BY k.place) AS path
      FROM source AS s
     CROSS JOIN LATERAL regexp_matches(s.text, 'current_setting\(\s*''([[:alnum:]_$.]+)''[^()]*\)'
           '((?:[\s()]|::[a-z]+|,\s*''''(?:::text)?\s*\)|->>?\s*''[^'']+'')*)', 'gi') AS m(parts)
), claim AS (
    -- The likeliest claim of each setting.
    SELECT DISTINCT ON (a.name) a.name, a.path
      FROM asked AS a
     WHERE a.path <> '{}'
     ORDER BY a.name, a.path[cardinality(a.path)] ~* '(tenant|org|account|customer|company|workspace|client)' DESC, a.path
), tenant_setting AS (
    SELECT DISTINCT a.name
      FROM asked AS a
     WHERE a.name NOT IN (SELECT c.name FROM claim AS c)
)
SELECT s.key, s.value
  FROM (SELECT 1 AS place, 'schemas' AS key, (SELECT string_agg(DISTINCT o.schema::text, ', ') FROM owned AS o) AS value
         UNION ALL
        SELECT 2, 'tenant_column', (SELECT string_agg(c.name, ', ' ORDER BY c.place) FROM tenant_column AS c)
         UNION ALL
        SELECT 3, 'tenant_setting', (SELECT string_agg(t.name, ', ' ORDER BY t.name) FROM tenant_setting AS t)
         UNION ALL
        SELECT 3, 'tenant_set.' || c.name,
               (SELECT string_agg(format('{%s: ', to_json(u.key)), '' ORDER BY u.place) || '"{tenant}"' || repeat('}', cardinality(c.path))
                  FROM unnest(c.path) WITH ORDINALITY AS u(key, place))
          FROM claim AS c
         UNION ALL
        SELECT 4, 'roles', (SELECT string_agg(r.name, ', ' ORDER BY r.name) FROM role AS r)
         UNION ALL
        SELECT 5, 'exempt', (SELECT string_agg(e.name, ', ' ORDER BY e.name) FROM exempt AS e)
         UNION ALL
        SELECT 6, 'through.' || t.name, t.parent FROM through AS t) AS s
 WHERE s.value IS NOT NULL
 ORDER BY s.place, s.key
