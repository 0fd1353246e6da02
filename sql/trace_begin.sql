-- Where the session stands before a transaction: the position in the WAL, and bytes of temporary files that the database has written
-- by sessions that have told of it.
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::pg_catalog.int8 AS wal,
       pg_catalog.pg_stat_get_db_temp_bytes(d.oid) AS temp
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database()
