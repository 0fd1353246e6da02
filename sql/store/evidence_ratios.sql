-- How much longer than the uncorrected estimate the newest applies to a database took ($1 name), in ascending order: ratio.
-- Those that were estimated at less than 100 ms say nothing, nor do those on the server they were rehearsed on.
SELECT ratio
  FROM (SELECT a.execution_ms * a.correction * 2.0 / (a.low_ms + a.high_ms) AS ratio
          FROM applied AS a
          LEFT JOIN rehearsal AS r ON r.id = a.rehearsal
         WHERE a.database = ?1 AND a.low_ms >= 0 AND a.low_ms + a.high_ms >= 200 AND r.server IS NOT a.server
         ORDER BY a.applied_at DESC
         LIMIT 20)
 ORDER BY ratio
