-- The roles that this database's objects, or the database itself, name as owner, grantee or in a policy: name. Of the
-- bootstrap superuser the server keeps no such record, so it is looked for as an owner. In the order in which they were
-- made: a policy lists its roles by OID, and where roles are made anew the same order gives the same text.
SELECT r.rolname AS name
  FROM pg_catalog.pg_roles AS r
 WHERE NOT pg_catalog.starts_with(r.rolname::pg_catalog.text, 'pg_')
   AND (EXISTS (SELECT 1
                  FROM pg_catalog.pg_shdepend AS d
                  JOIN pg_catalog.pg_database AS b ON b.datname = pg_catalog.current_database()
                 WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
                   AND d.refobjid = r.oid
                   AND (d.dbid = b.oid
                        OR d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.objid = b.oid))
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_database AS b
                    WHERE b.datname = pg_catalog.current_database() AND b.datdba = r.oid)
        OR EXISTS (SELECT 1
                     FROM pg_catalog.pg_db_role_setting AS s
                     JOIN pg_catalog.pg_database AS b ON b.oid = s.setdatabase
                    WHERE b.datname = pg_catalog.current_database() AND s.setrole = r.oid)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c WHERE c.oid >= 16384 AND c.relowner = r.oid)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_namespace AS n WHERE n.oid >= 16384 AND n.nspowner = r.oid)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_proc AS p WHERE p.oid >= 16384 AND p.proowner = r.oid)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_type AS t WHERE t.oid >= 16384 AND t.typowner = r.oid)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_largeobject_metadata AS l WHERE l.lomowner = r.oid))
 ORDER BY r.oid
