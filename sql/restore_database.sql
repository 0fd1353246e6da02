-- The database $1: whether it takes connections, how many prepared transactions it has, and marked, the
-- backup that it was completely restored from while it waits to take another's place, or null; no row where there is
-- none.
SELECT d.datallowconn AS connections,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts AS x WHERE x.database = d.datname) AS prepared,
       (SELECT pg_catalog.split_part(c.setting, '=', 2)
          FROM pg_catalog.pg_db_role_setting AS s
         CROSS JOIN pg_catalog.unnest(s.setconfig) AS c (setting)
         WHERE s.setdatabase = d.oid
           AND s.setrole = 0
           AND pg_catalog.starts_with(c.setting, 'pgmigrate.restored=')) AS marked
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = $1
