-- The application's roles, and whether this session can work as each: as the login itself (a superuser's SET SESSION
-- AUTHORIZATION), or by SET ROLE.
WITH :scope
SELECT a.name, quote_ident(a.name) AS quoted, me.rolsuper AS login,
       me.rolsuper OR pg_catalog.pg_has_role(current_user, a.oid, 'MEMBER') AS can,
       r.rolcanlogin
  FROM app_role AS a
  JOIN pg_catalog.pg_roles AS r ON r.oid = a.oid
  JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
 ORDER BY a.name
