-- What belongs to the database and is in no backup: sentence, one a row.
SELECT pg_catalog.format('Replication slot "%s" (%s): slots do not follow a database; make it anew where it is needed.',
                         s.slot_name, s.plugin) AS sentence
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.database = pg_catalog.current_database()
UNION ALL
SELECT pg_catalog.format(CASE WHEN r.rolsuper THEN 'The state of subscription "%s": it is restored disabled, without its slot.'
                              ELSE 'Subscription "%s": only a superuser can read it.' END, s.subname)
  FROM pg_catalog.pg_subscription AS s
  JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid
  JOIN pg_catalog.pg_roles AS r ON r.rolname = CURRENT_USER
 WHERE d.datname = pg_catalog.current_database()
UNION ALL
SELECT pg_catalog.format('The rows of foreign table "%s.%s": they are on server "%s".', n.nspname, c.relname, s.srvname)
  FROM pg_catalog.pg_foreign_table AS t
  JOIN pg_catalog.pg_class AS c ON c.oid = t.ftrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
UNION ALL
SELECT pg_catalog.format('Replication origin "%s": it belongs to the server.', o.roname)
  FROM pg_catalog.pg_replication_origin AS o
 WHERE o.roname !~ '^pg_[0-9]+(_[0-9]+)?$' -- a subscription's, of whichever database
UNION ALL
SELECT pg_catalog.format('The database''s default tablespace "%s".', t.spcname)
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace
 WHERE d.datname = pg_catalog.current_database()
   AND t.spcname <> 'pg_default'
UNION ALL
SELECT pg_catalog.format('The options of the user mapping for "%s" on server "%s", if it has any: role "%s" may not read them.',
                         m.usename, m.srvname, CURRENT_USER)
  FROM pg_catalog.pg_user_mappings AS m
  JOIN pg_catalog.pg_foreign_server AS s ON s.oid = m.srvid
 WHERE m.umoptions IS NULL
   AND NOT pg_catalog.pg_has_role(s.srvowner, 'USAGE')
   AND NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER)
