-- Keep what a migration took when it was applied, beside what the rehearsal expected: $1 run, $2 version, $3 applied_at,
-- $4 server, $5 database, $6 rehearsal, $7 execution_ms, $8 low_ms, $9 high_ms, $10 correction.
INSERT OR REPLACE INTO applied (run, version, applied_at, server, database, rehearsal, execution_ms, low_ms, high_ms, correction)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, CAST(?7 AS INTEGER), CAST(?8 AS INTEGER), CAST(?9 AS INTEGER), CAST(?10 AS REAL))
