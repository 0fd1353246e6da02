-- The newest rehearsal of a migration, of these files before that of others: $1 version, $2 checksum, $3 rollback_checksum,
-- $4 verify_checksum. same: whether it was of these files. No row when it was never rehearsed.
SELECT m.checksum = ?2 AND m.rollback_checksum IS ?3 AND m.verify_checksum IS ?4 AS same,
       r.id, r.ended_at, r.environment, r.server, m.passed, m.round_trip, m.execution_ms, m.low_ms, m.high_ms, m.correction,
       m.lock_relation, m.lock_mode, m.lock_ms, m.failure
  FROM rehearsed AS m
  JOIN rehearsal AS r ON r.id = m.rehearsal
 WHERE m.version = ?1
 ORDER BY same DESC, r.ended_at DESC, r.id
 LIMIT 1
