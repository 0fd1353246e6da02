-- The roles that the current one cannot make things for: name, quoted (as in a statement), and whether it is a
-- superuser. A superuser can for all, and who makes a database owns it.
SELECT r.rolname AS name, pg_catalog.quote_ident(r.rolname) AS quoted, r.rolsuper AS superuser
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname <> 'pg_database_owner'
   AND NOT (pg_catalog.pg_has_role(r.oid, 'USAGE')
            AND pg_catalog.pg_has_role(r.oid, CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 160000
                                                   THEN 'MEMBER' ELSE 'SET' END))
 ORDER BY r.rolname
