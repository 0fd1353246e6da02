-- What every check of this folder is about: the relations looked at, their tenant columns, the application's roles, and the
-- policies with the expressions that the server really uses. A check is "WITH :scope SELECT …". By hand, in psql:
--
--     SET search_path = pg_catalog;
--     SET pgmigrate.rls = '{"tenant_columns": ["tenant\\_id"], "roles": ["app_user"], "exempt": ["core.tenants"]}';
--     \i sql/rls/scope.sql
--     \i sql/rls/s01_row_security_off.sql
--
-- Names in the setting are patterns of LIKE; all parts may be left out. The answer is SQL, kept in psql's variable "scope".
SELECT $scope$
setting AS (
    SELECT COALESCE(NULLIF(pg_catalog.current_setting('pgmigrate.rls', true), ''), '{}')::jsonb AS value
), pattern AS (
    SELECT ARRAY(SELECT jsonb_array_elements_text(COALESCE(value -> 'schemas', '["%"]'))) AS schemas,
           ARRAY(SELECT jsonb_array_elements_text(COALESCE(value -> 'tenant_columns', '["tenant\\_id"]'))) AS tenant_columns,
           ARRAY(SELECT jsonb_array_elements_text(COALESCE(value -> 'exempt', '[]'))) AS exempt,
           ARRAY(SELECT jsonb_array_elements_text(COALESCE(value -> 'roles', '[]'))) AS roles,
           -- {"only": [oid, …]} looks at these relations alone.
           CASE WHEN value ? 'only'
                THEN ARRAY(SELECT jsonb_array_elements_text(value -> 'only')::oid)
                ELSE ARRAY(SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f'))
           END AS only,
           -- {"app_roles": [oid, …]} are the application's, whatever these relations would tell.
           CASE WHEN value ? 'app_roles' THEN ARRAY(SELECT jsonb_array_elements_text(value -> 'app_roles')::oid) END AS app_roles
      FROM setting
), relation AS (
    -- Tables, partitioned tables, views, materialized views and foreign tables, without those of extensions.
    SELECT c.oid, c.relkind AS kind, n.nspname AS schema, c.relname AS name, c.relnamespace,
           format('%I.%I', n.nspname, c.relname) AS object, c.relowner AS owner, c.relacl AS acl, c.reloptions AS options,
           c.relrowsecurity AS row_security, c.relforcerowsecurity AS forced, c.relispartition AS partition,
           c.relpages AS pages, c.relnatts AS columns,
           format('%s.%s', n.nspname, c.relname) LIKE ANY (p.exempt) OR c.relname::text LIKE ANY (p.exempt) AS exempt
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     CROSS JOIN pattern AS p
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema'
       -- Through views and partitions the tables can be reached from anywhere.
       AND (n.nspname::text LIKE ANY (p.schemas) OR c.relkind IN ('v', 'm') OR c.relispartition)
       AND c.oid = ANY (p.only)
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_depend AS d
                        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), tenant_column AS (
    SELECT r.oid AS relation, a.attnum AS number, a.attname AS name, a.attnotnull AS not_null, a.atttypid AS type
      FROM relation AS r
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
     CROSS JOIN pattern AS p
     WHERE a.attnum > 0
       AND NOT a.attisdropped
       AND a.attname::text LIKE ANY (p.tenant_columns)
), tenant_key AS (
    -- The same for each relation: the first one's name, and names and numbers of all.
    SELECT c.relation, (array_agg(c.name ORDER BY c.number))[1] AS name, array_agg(c.name) AS names, array_agg(c.number) AS numbers
      FROM tenant_column AS c
     GROUP BY c.relation
), through AS (
    -- Tables that reach their tenant through a parent: {"through": {"app.line": "app.order"}}
    SELECT r.oid AS relation, e.value AS parent
      FROM setting AS s
     CROSS JOIN LATERAL jsonb_each_text(COALESCE(s.value -> 'through', '{}')) AS e
      JOIN relation AS r ON format('%s.%s', r.schema, r.name) = e.key OR r.name::text = e.key
), tenant_table AS (
    -- What holds rows of tenants and can have policies.
    SELECT r.*
      FROM relation AS r
     WHERE r.kind IN ('r', 'p')
       AND NOT r.exempt
       AND (r.oid IN (SELECT relation FROM tenant_column) OR r.oid IN (SELECT relation FROM through))
), grantee AS (
    SELECT DISTINCT a.grantee AS role
      FROM (SELECT t.acl FROM tenant_table AS t UNION ALL SELECT v.acl FROM relation AS v WHERE v.kind IN ('v', 'm')) AS o
     CROSS JOIN LATERAL aclexplode(o.acl) AS a
), app_role AS (
    -- The application's roles: those that are named; else every role that logs in, is no superuser, owns no table of tenants,
    -- and was granted something on one, or on a view, by itself or through the roles it belongs to; and roles that such a one
    -- takes on by SET ROLE, without having their rights before.
    SELECT r.oid, r.rolname AS name, r.rolsuper AS superuser, r.rolbypassrls AS bypass
      FROM pg_catalog.pg_roles AS r
     CROSS JOIN pattern AS p
     WHERE CASE WHEN p.app_roles IS NOT NULL
                THEN r.oid = ANY (p.app_roles)
                WHEN p.roles <> '{}'
                THEN r.rolname::text LIKE ANY (p.roles)
                ELSE r.rolcanlogin AND NOT r.rolsuper
                     AND r.oid NOT IN (SELECT owner FROM tenant_table)
                     AND EXISTS (SELECT
                                   FROM grantee AS g
                                  WHERE g.role = 0 OR pg_catalog.pg_has_role(r.oid, g.role, 'MEMBER'))
           END
        OR (p.app_roles IS NULL
            AND NOT r.rolcanlogin
            AND r.oid IN (SELECT role FROM grantee)
            AND EXISTS (SELECT
                          FROM pg_catalog.pg_roles AS m
                         WHERE m.rolcanlogin
                           AND NOT m.rolsuper
                           AND (p.roles = '{}' OR m.rolname::text LIKE ANY (p.roles))
                           AND pg_catalog.pg_has_role(m.oid, r.oid, 'MEMBER')
                           AND NOT pg_catalog.pg_has_role(m.oid, r.oid, 'USAGE')))
), policy AS (
    -- Policies that concern the application's roles. The server takes a missing USING as false, and uses USING where WITH CHECK is
    -- missing. The trees are the expressions as stored, in which a column is known by its number.
    SELECT p.oid, p.polrelid AS relation, p.polname AS name, p.polpermissive AS permissive, p.polcmd AS command,
           p.polroles AS roles, format('policy %I on %s', p.polname, r.object) AS object, r.object AS table_object,
           pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS using_text,
           pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS check_text,
           p.polqual::text AS using_tree, p.polwithcheck::text AS check_tree
      FROM pg_catalog.pg_policy AS p
      JOIN relation AS r ON r.oid = p.polrelid
     WHERE 0 = ANY (p.polroles)
        OR NOT EXISTS (SELECT FROM app_role)
        OR EXISTS (SELECT
                     FROM app_role AS a
                    CROSS JOIN unnest(p.polroles) AS u(role)
                    WHERE u.role <> 0 AND pg_catalog.pg_has_role(a.oid, u.role, 'USAGE'))
), restrictive AS (
    -- Restrictive policies that look at the tenant column.
    SELECT DISTINCT p.oid, p.relation, p.command, p.roles
      FROM policy AS p
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid = p.relation
      JOIN tenant_column AS c ON c.relation = p.relation AND c.number = d.refobjsubid
     WHERE NOT p.permissive
), guarded AS (
    -- Permissive policies beside which such a one stands for each of their commands, and for whom they are for.
    SELECT p.oid
      FROM policy AS p
     CROSS JOIN LATERAL unnest(CASE WHEN p.command = '*' THEN ARRAY['r', 'a', 'w', 'd'] ELSE ARRAY[p.command::text] END) AS c(command)
      JOIN restrictive AS r
        ON r.relation = p.relation AND r.command::text IN (c.command, '*') AND (0 = ANY (r.roles) OR r.roles @> p.roles)
     WHERE p.permissive
     GROUP BY p.oid, p.command
    HAVING count(DISTINCT c.command) = CASE WHEN p.command = '*' THEN 4 ELSE 1 END
), granted AS (
    -- What the application's roles may do with a relation or a column of it, but for its owner's own rights.
    SELECT DISTINCT g.relation, g.privilege, a.oid AS role, a.name AS role_name, COALESCE(r.rolname::text, 'PUBLIC') AS grantee
      FROM (SELECT r.oid AS relation, r.owner, e.grantee, e.privilege_type AS privilege
              FROM relation AS r
             CROSS JOIN LATERAL aclexplode(r.acl) AS e
             UNION ALL
            SELECT r.oid, r.owner, e.grantee, e.privilege_type
              FROM relation AS r
              JOIN pg_catalog.pg_attribute AS c ON c.attrelid = r.oid AND c.attacl IS NOT NULL
             CROSS JOIN LATERAL aclexplode(c.attacl) AS e) AS g
      JOIN app_role AS a ON g.grantee = 0 OR (g.grantee <> g.owner AND pg_catalog.pg_has_role(a.oid, g.grantee, 'USAGE'))
      LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee
), exempt_owner AS (
    -- Tables, and the roles that see all of their rows: superusers, BYPASSRLS, and without FORCE the owner and who has his rights.
    SELECT t.oid AS relation, r.oid AS role, r.rolname AS name
      FROM tenant_table AS t
     CROSS JOIN pg_catalog.pg_roles AS r
     WHERE t.row_security
       AND (r.rolsuper OR r.rolbypassrls OR (NOT t.forced AND pg_catalog.pg_has_role(r.oid, t.owner, 'USAGE')))
)
$scope$ AS scope \gset
