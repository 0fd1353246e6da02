-- Statements that make the roles $1 (array of names) as they are, without passwords: for servers where pg_dumpall may not
-- read all of them.
SELECT pg_catalog.format('CREATE ROLE %I WITH %s %s %s %s %s %s %s CONNECTION LIMIT %s;', r.rolname,
                         CASE WHEN r.rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
                         CASE WHEN r.rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
                         CASE WHEN r.rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
                         CASE WHEN r.rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
                         CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
                         CASE WHEN r.rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
                         CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
                         r.rolconnlimit) AS statement
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = ANY ($1::pg_catalog.text[])
 ORDER BY r.rolname
