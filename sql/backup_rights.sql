-- What the current role cannot read whole, and why: object, missing (the privilege). Nothing for a superuser.
WITH seen AS (
    SELECT c.oid, c.relkind, c.relname, n.nspname, n.oid AS schema
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S')
       AND c.relpersistence <> 't'
       AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
       AND n.nspname <> 'information_schema'
       AND (NOT EXISTS (SELECT 1
                          FROM pg_catalog.pg_depend AS d
                         WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                           AND d.objid = c.oid
                           AND d.deptype = 'e')
            OR EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE c.oid = ANY (e.extconfig)))
), missing AS (
    SELECT CASE s.relkind WHEN 'S' THEN 2 ELSE 1 END AS rank,
           pg_catalog.format('%s "%s.%s"', CASE s.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, s.nspname, s.relname)
               AS object,
           CASE WHEN NOT pg_catalog.has_schema_privilege(s.schema, 'USAGE')
                THEN pg_catalog.format('USAGE on schema "%s"', s.nspname)
                WHEN NOT pg_catalog.has_table_privilege(s.oid, 'SELECT') THEN 'SELECT'
                WHEN s.relkind <> 'S' AND pg_catalog.row_security_active(s.oid)
                THEN 'BYPASSRLS, since row-level security hides rows' END AS missing
      FROM seen AS s
    UNION ALL
    SELECT 3, pg_catalog.format('large object %s', l.oid), 'SELECT'
      FROM pg_catalog.pg_largeobject_metadata AS l
     WHERE pg_catalog.current_setting('lo_compat_privileges') <> 'on'
       AND NOT pg_catalog.pg_has_role(l.lomowner, 'USAGE')
       AND NOT EXISTS (SELECT 1
                         FROM pg_catalog.aclexplode(l.lomacl) AS g
                        WHERE g.privilege_type = 'SELECT'
                          AND (g.grantee = 0 OR pg_catalog.pg_has_role(g.grantee, 'USAGE')))
)
SELECT m.object, m.missing
  FROM missing AS m
 WHERE m.missing IS NOT NULL
 ORDER BY m.rank, m.object
