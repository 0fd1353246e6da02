-- Keep what a rehearsal found of one migration: $1 rehearsal, $2 position, $3 version, $4 checksum, $5 rollback_checksum,
-- $6 verify_checksum, $7 passed, $8 round_trip, $9 execution_ms, $10 low_ms, $11 high_ms, $12 correction, $13 lock_relation,
-- $14 lock_mode, $15 lock_ms, $16 failure.
INSERT INTO rehearsed (rehearsal, position, version, checksum, rollback_checksum, verify_checksum, passed, round_trip,
                       execution_ms, low_ms, high_ms, correction, lock_relation, lock_mode, lock_ms, failure)
VALUES (?1, CAST(?2 AS INTEGER), ?3, ?4, ?5, ?6, CAST(?7 AS INTEGER), ?8,
        CAST(?9 AS INTEGER), CAST(?10 AS INTEGER), CAST(?11 AS INTEGER), CAST(?12 AS REAL), ?13, ?14, CAST(?15 AS INTEGER), ?16)
