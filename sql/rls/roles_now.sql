-- The application's roles (roles: JSON, an array of oids), and whether no grant on a table could make others of them (fixed): they are
-- named, and none of them takes on another by SET ROLE without having its rights before.
WITH :scope
SELECT COALESCE((SELECT jsonb_agg(a.oid::text ORDER BY a.oid) FROM app_role AS a), '[]') AS roles,
       p.roles <> '{}'
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_roles AS m
                         JOIN pg_catalog.pg_roles AS r
                           ON NOT r.rolcanlogin
                          AND pg_catalog.pg_has_role(m.oid, r.oid, 'MEMBER')
                          AND NOT pg_catalog.pg_has_role(m.oid, r.oid, 'USAGE')
                        WHERE m.rolcanlogin
                          AND NOT m.rolsuper
                          AND m.rolname::text LIKE ANY (p.roles)) AS fixed
  FROM pattern AS p
