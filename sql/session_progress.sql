-- What the server process $1 (integer) reports of its long work: phase and percent (NULL when unknown) of an index build,
-- a VACUUM, a CLUSTER. No row when it reports nothing.
SELECT p.phase, p.percent
  FROM (SELECT c.pid, c.phase,
               CASE WHEN c.blocks_total > 0 THEN 100 * c.blocks_done / c.blocks_total
                    WHEN c.lockers_total > 0 THEN 100 * c.lockers_done / c.lockers_total
               END AS percent
          FROM pg_catalog.pg_stat_progress_create_index AS c
         UNION ALL
        SELECT v.pid, v.phase,
               CASE WHEN v.heap_blks_total > 0 THEN 100 * v.heap_blks_scanned / v.heap_blks_total END
          FROM pg_catalog.pg_stat_progress_vacuum AS v
         UNION ALL
        SELECT r.pid, r.phase,
               CASE WHEN r.heap_blks_total > 0 THEN 100 * r.heap_blks_scanned / r.heap_blks_total END
          FROM pg_catalog.pg_stat_progress_cluster AS r) AS p
 WHERE p.pid = $1::pg_catalog.int4
