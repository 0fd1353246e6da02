-- What belongs to database $1 and does not follow its name: a sentence a row.
SELECT pg_catalog.format('The replication slot "%s" stays with the old database.', s.slot_name) AS note
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.database = $1
UNION ALL
SELECT pg_catalog.format('A subscription (slot "%s") stays with the old database and still applies changes there.',
                         coalesce(s.subslotname, s.subname))
  FROM pg_catalog.pg_subscription AS s
  JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid
 WHERE d.datname = $1
UNION ALL
SELECT pg_catalog.format('The setting "%s"%s of the old database is not in the backup.', c.setting,
                         ' for role "' || r.rolname || '"')
  FROM pg_catalog.pg_db_role_setting AS s
  JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (setting)
 WHERE d.datname = $1
   AND NOT EXISTS (SELECT 1
                     FROM pg_catalog.pg_db_role_setting AS o
                     JOIN pg_catalog.pg_database AS e ON e.oid = o.setdatabase
                    WHERE e.datname = $2
                      AND o.setrole = s.setrole
                      AND c.setting = ANY (o.setconfig))
