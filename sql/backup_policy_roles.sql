-- The roles that policies and user mappings of this database are for: name. They are needed whoever owns things.
SELECT r.rolname AS name
  FROM pg_catalog.pg_roles AS r
 WHERE (r.oid IN (SELECT pg_catalog.unnest(p.polroles) FROM pg_catalog.pg_policy AS p)
        OR r.oid IN (SELECT m.umuser FROM pg_catalog.pg_user_mappings AS m))
   AND NOT pg_catalog.starts_with(r.rolname::pg_catalog.text, 'pg_')
 ORDER BY r.oid
