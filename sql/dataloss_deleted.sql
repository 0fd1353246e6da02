-- Rows deleted from each table, as this session has counted them so far: relation oid, deleted.
SELECT s.relid::pg_catalog.int8 AS relation, s.n_tup_del AS deleted
  FROM pg_catalog.pg_stat_xact_user_tables AS s
 WHERE s.n_tup_del > 0
 ORDER BY s.relid
