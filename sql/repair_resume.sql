-- A half-run script goes on after its first $10 statements. One row with xid, or none when the row is not half-run.
-- $1 the table's quoted name, $2 its oid, $3 and $4 the run lock's witness; $5 version, $6 run id,
-- $7 tool version, $8 git commit, $9 reason, $10 statements done.
WITH changed AS (
    UPDATE :"schema".:"table" AS h
    SET state = CASE h.state WHEN 'undoing' THEN h.state ELSE 'failed' END,
        statements_done = $10::pg_catalog.text::pg_catalog.int4, statement_started = NULL
    WHERE h.version = $5 AND h.state IN ('running', 'failed', 'undoing') AND pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        ELSE 'server_version_num' END) IS NOT NULL
    RETURNING h.version
)
INSERT INTO :"schema".:"log" (action, version, run_id, reason, detail, tool_version, git_commit)
SELECT 'resume_at', changed.version, $6, $9,
    pg_catalog.concat('the first ', $10::pg_catalog.text, ' statements count as done'), $7, $8
FROM changed
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid
