-- Mark a version as applied without running it, or a half-run one as done. Of a rollback that stopped half way, when it
-- was applied stays, and the progress, which was that of the rollback, goes. One row with xid, or none when it was
-- applied already. $1 the table's quoted name, $2 its oid, $3 and $4 the run lock's witness; $5 version, $6
-- description, $7 file name, $8 checksum, $9 checksum version, $10 rollback checksum, $11 forward text, $12
-- rollback text, $13 transactional, $14 run id, $15 tool version, $16 git commit, $17 backup id, $18 reason, $19
-- action.
WITH marked AS (
    INSERT INTO :"schema".:"table" AS h (version, description, applied_at, applied_by, state, transactional, tool_version,
        git_commit, backup_id, run_id, file_name, checksum_version, checksum, rollback_checksum, forward_text,
        rollback_text)
    SELECT $5, $6, pg_catalog.now(), SESSION_USER, 'baseline', $13::pg_catalog.bool, $15,
        $16, $17, $14, $7, $9::pg_catalog.int4, $8, $10, $11,
        $12
    WHERE pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        ELSE 'server_version_num' END) IS NOT NULL
    ON CONFLICT (version) DO UPDATE SET state = 'applied', statement_started = NULL, run_id = excluded.run_id,
        applied_at = CASE h.state WHEN 'undoing' THEN h.applied_at ELSE excluded.applied_at END,
        applied_by = CASE h.state WHEN 'undoing' THEN h.applied_by ELSE excluded.applied_by END,
        statements_done = CASE WHEN h.state <> 'undoing' THEN h.statements_done END,
        statements_total = CASE WHEN h.state <> 'undoing' THEN h.statements_total END,
        statement_hashes = CASE WHEN h.state <> 'undoing' THEN h.statement_hashes END, tool_version = excluded.tool_version,
        git_commit = excluded.git_commit, checksum_version = excluded.checksum_version,
        checksum = excluded.checksum, rollback_checksum = excluded.rollback_checksum,
        forward_text = excluded.forward_text, rollback_text = excluded.rollback_text
        WHERE h.state IN ('running', 'failed', 'undoing')
    RETURNING h.version
)
INSERT INTO :"schema".:"log" (action, version, run_id, reason, tool_version, git_commit, backup_id)
SELECT $19, marked.version, $14, $18, $15, $16, $17
FROM marked
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid
