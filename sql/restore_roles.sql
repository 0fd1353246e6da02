-- The names of all roles.
SELECT r.rolname AS name
  FROM pg_catalog.pg_roles AS r
