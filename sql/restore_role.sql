-- One row: whether we are a superuser, and whether we may create databases and roles.
SELECT r.rolsuper AS superuser,
       r.rolsuper OR r.rolcreatedb AS creates_databases,
       r.rolsuper OR r.rolcreaterole AS creates_roles
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = CURRENT_USER
