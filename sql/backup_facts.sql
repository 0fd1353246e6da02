-- One row about server and database: system_identifier, server_version (without what the packager added), encoding, role,
-- large_objects (their number), sequences (whose values pg_dump writes), subscriptions, mappings (of users, whose options
-- the role may not read), and superuser (whether the role is one).
SELECT s.system_identifier,
       pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) AS server_version,
       pg_catalog.current_setting('server_encoding') AS encoding,
       CURRENT_USER AS role,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) AS large_objects,
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind = 'S'
           AND c.relpersistence <> 't'
           AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
           AND n.nspname <> 'information_schema'
           AND (NOT EXISTS (SELECT 1
                              FROM pg_catalog.pg_depend AS d
                             WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                               AND d.objid = c.oid
                               AND d.deptype = 'e')
                OR EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE c.oid = ANY (e.extconfig)))) AS sequences,
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_subscription AS u
          JOIN pg_catalog.pg_database AS d ON d.oid = u.subdbid
         WHERE d.datname = pg_catalog.current_database()) AS subscriptions,
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_user_mappings AS m
          JOIN pg_catalog.pg_foreign_server AS f ON f.oid = m.srvid
         WHERE m.umoptions IS NULL
           AND NOT pg_catalog.pg_has_role(f.srvowner, 'USAGE')
           AND NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER)) AS mappings,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER) AS superuser
  FROM pg_catalog.pg_control_system() AS s
