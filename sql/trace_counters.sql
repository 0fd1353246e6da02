-- The relations that this session has counts of, which the statistics do not have yet: oid, scans, rows written.
SELECT s.relid::pg_catalog.int8 AS oid, s.scans, s.written
  FROM (SELECT c.oid AS relid,
               pg_catalog.pg_stat_get_xact_numscans(c.oid) AS scans,
               pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
                   + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS written
          FROM pg_catalog.pg_class AS c
         WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm')) AS s
 WHERE s.scans > 0 OR s.written > 0
