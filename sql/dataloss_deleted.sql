-- Rows deleted from each table and inserted into it, as this session has counted them so far (inserted: since the table was
-- truncated, if it was): relation oid, deleted, inserted.
SELECT s.relid::pg_catalog.int8 AS relation, s.n_tup_del AS deleted, s.n_tup_ins AS inserted
  FROM pg_catalog.pg_stat_xact_user_tables AS s
 WHERE s.n_tup_del > 0 OR s.n_tup_ins > 0
 ORDER BY s.relid
