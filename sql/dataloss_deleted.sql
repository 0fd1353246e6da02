-- Rows deleted from each table and inserted into it, as this session has counted them so far (inserted: since the table was
-- truncated, if it was): relation oid, deleted, inserted. The large objects, of which pg_largeobject_metadata has a row each,
-- are relation 0.
SELECT s.relid::pg_catalog.int8 AS relation, s.n_tup_del AS deleted, s.n_tup_ins AS inserted
  FROM pg_catalog.pg_stat_xact_user_tables AS s
 WHERE s.n_tup_del > 0 OR s.n_tup_ins > 0
 UNION ALL
SELECT 0, l.n_tup_del, l.n_tup_ins
  FROM pg_catalog.pg_stat_xact_sys_tables AS l
 WHERE l.relid = 'pg_catalog.pg_largeobject_metadata'::pg_catalog.regclass
   AND l.n_tup_del > 0
