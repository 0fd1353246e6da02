-- A no-transaction script begins: its row with state running, or the row of a half-run one taken up again, which
-- keeps how far it came, and is the newest now. One row with xid. $1 the table's quoted name, $2 its oid, $3 and $4 the run lock's two
-- halves; $5 version, $6 description, $7 file name, $8 checksum, $9 checksum version, $10 rollback checksum, $11
-- forward text, $12 rollback text, $13 out of order, $14 run id, $15 tool version, $16 git commit, $17 backup id,
-- $18 the statements' hashes.
INSERT INTO :"schema".:"table" AS h (version, description, applied_at, applied_by, state, transactional, out_of_order,
    statements_done, statements_total, tool_version, git_commit, backup_id, run_id, file_name, checksum_version,
    checksum, rollback_checksum, statement_hashes, forward_text, rollback_text)
SELECT $5, $6, pg_catalog.now(), SESSION_USER, 'running', false, $13::pg_catalog.bool,
    0, pg_catalog.cardinality($18::pg_catalog.text[]), $15, $16, $17, $14, $7, $9::pg_catalog.int4,
    $8, $10, $18::pg_catalog.text[], $11, $12
WHERE pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        ELSE 'server_version_num' END) IS NOT NULL
ON CONFLICT (version) DO UPDATE SET state = 'running', transactional = false,
    out_of_order = h.out_of_order OR excluded.out_of_order, sequence = excluded.sequence,
    statements_done = coalesce(h.statements_done, 0), statements_total = excluded.statements_total,
    tool_version = excluded.tool_version, git_commit = excluded.git_commit, backup_id = excluded.backup_id,
    run_id = excluded.run_id, file_name = excluded.file_name, checksum_version = excluded.checksum_version,
    checksum = excluded.checksum, rollback_checksum = excluded.rollback_checksum,
    statement_hashes = excluded.statement_hashes, forward_text = excluded.forward_text,
    rollback_text = excluded.rollback_text
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid
