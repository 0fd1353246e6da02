-- What the server process $1 (integer) does now: each relation it holds or waits for a lock on, and each other lock it waits for:
-- oid (NULL), mode (a number, the strongest is 8), waited in microseconds (NULL when it has it), and the phase of its long work
-- (NULL). Nothing but waits and phase where $2 (boolean) is false. At least one row.
SELECT l.oid, l.mode, l.waited, p.phase
  FROM (VALUES (1)) AS one (row)
  LEFT JOIN (SELECT k.relation::pg_catalog.int8 AS oid,
                    pg_catalog.array_position(ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock',
                        'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
                        k.mode) AS mode,
                    CASE WHEN NOT k.granted
                         THEN (1000000 * COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                             - (pg_catalog.to_jsonb(k) ->> 'waitstart')::pg_catalog.timestamptz), 0))::pg_catalog.int8
                    END AS waited
               FROM pg_catalog.pg_locks AS k
              WHERE k.pid = $1::pg_catalog.int4
                AND (NOT k.granted OR ($2::pg_catalog.bool AND k.locktype = 'relation' AND k.relation >= 16384))) AS l ON true
  LEFT JOIN (SELECT c.pid, c.phase FROM pg_catalog.pg_stat_progress_create_index AS c
             UNION ALL SELECT v.pid, v.phase FROM pg_catalog.pg_stat_progress_vacuum AS v
             UNION ALL SELECT r.pid, r.phase FROM pg_catalog.pg_stat_progress_cluster AS r) AS p ON p.pid = $1::pg_catalog.int4
