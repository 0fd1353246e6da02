-- Databases without sessions that a restore may have left: name; marked, the backup that it was completely restored
-- from while it waits to take another's place, or null. $1 is how the names begin that a restore makes up.
SELECT d.datname AS name, m.backup AS marked
  FROM pg_catalog.pg_database AS d
  LEFT JOIN (SELECT s.setdatabase, pg_catalog.split_part(c.setting, '=', 2) AS backup
               FROM pg_catalog.pg_db_role_setting AS s
              CROSS JOIN pg_catalog.unnest(s.setconfig) AS c (setting)
              WHERE s.setrole = 0
                AND pg_catalog.starts_with(c.setting, 'pgmigrate.restored=')) AS m ON m.setdatabase = d.oid
 WHERE (m.backup IS NOT NULL
        OR (pg_catalog.starts_with(d.datname::pg_catalog.text, $1) AND d.datname ~ '_[0-9]{8}_[0-9]{6}$'))
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity AS a WHERE a.datid = d.oid)
 ORDER BY d.datname
