-- The roles that this database names for more than owning things, so that a restore without owners needs them: name. They
-- are grantees, a policy's, whose default privileges, user mapping or settings in this database there are; and owners whose
-- own privileges are not those that every owner has, for a GRANT or REVOKE names them. All of a database's grants are
-- written down, its owner's too.
WITH listed AS (
    SELECT c.relowner AS owner, c.relacl AS acl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS kind
      FROM pg_catalog.pg_class AS c
    UNION ALL SELECT n.nspowner, n.nspacl, 'n' FROM pg_catalog.pg_namespace AS n
    UNION ALL SELECT p.proowner, p.proacl, 'f' FROM pg_catalog.pg_proc AS p
    UNION ALL SELECT t.typowner, t.typacl, 'T' FROM pg_catalog.pg_type AS t
    UNION ALL SELECT l.lanowner, l.lanacl, 'l' FROM pg_catalog.pg_language AS l
    UNION ALL SELECT o.lomowner, o.lomacl, 'L' FROM pg_catalog.pg_largeobject_metadata AS o
    UNION ALL SELECT w.fdwowner, w.fdwacl, 'F' FROM pg_catalog.pg_foreign_data_wrapper AS w
    UNION ALL SELECT s.srvowner, s.srvacl, 'S' FROM pg_catalog.pg_foreign_server AS s
), changed AS (
    SELECT x.owner
      FROM listed AS x
     WHERE x.acl IS NOT NULL
       AND (SELECT pg_catalog.array_agg(a.privilege_type || a.is_grantable ORDER BY a.privilege_type, a.is_grantable)
              FROM pg_catalog.aclexplode(x.acl) AS a WHERE a.grantee = x.owner)
           IS DISTINCT FROM
           (SELECT pg_catalog.array_agg(a.privilege_type || a.is_grantable ORDER BY a.privilege_type, a.is_grantable)
              FROM pg_catalog.aclexplode(pg_catalog.acldefault(x.kind::"char", x.owner)) AS a WHERE a.grantee = x.owner)
), this AS (
    SELECT b.oid, b.datdba, b.datacl FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database()
)
SELECT r.rolname AS name
  FROM pg_catalog.pg_roles AS r
 CROSS JOIN this AS b
 WHERE NOT pg_catalog.starts_with(r.rolname::pg_catalog.text, 'pg_')
   AND (EXISTS (SELECT 1
                  FROM pg_catalog.pg_shdepend AS d
                 WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
                   AND d.refobjid = r.oid
                   AND (d.dbid = b.oid
                        OR d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.objid = b.oid)
                   AND (d.deptype <> 'o'
                        OR d.classid IN ('pg_catalog.pg_default_acl'::pg_catalog.regclass,
                                         'pg_catalog.pg_user_mapping'::pg_catalog.regclass)))
        OR r.oid IN (SELECT c.owner FROM changed AS c)
        OR b.datdba = r.oid AND b.datacl IS NOT NULL
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_db_role_setting AS s WHERE s.setdatabase = b.oid AND s.setrole = r.oid))
 ORDER BY r.oid
