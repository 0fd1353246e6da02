-- Roles that the role $1 can become and that policies do not stop: those without row-level security, and owners of tables of
-- tenants ($2: their oids) without FORCE.
SELECT r.rolname AS name, quote_ident(r.rolname) AS quoted, r.rolsuper OR r.rolbypassrls AS bypasses
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname <> $1
   AND pg_catalog.pg_has_role($1, r.oid, 'MEMBER')
   AND (r.rolsuper OR r.rolbypassrls
        OR EXISTS (SELECT
                     FROM pg_catalog.pg_class AS c
                    WHERE c.oid = ANY ($2::pg_catalog.oid[]) AND c.relowner = r.oid AND NOT c.relforcerowsecurity))
 ORDER BY r.rolname
