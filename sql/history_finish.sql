-- All statements of a no-transaction script are done. One row with xid and execution_ms. $1 the table's quoted
-- name, $2 its oid, $3 and $4 the run lock's witness; $5 version; $6 execution_ms; $7 and $8 the numbers under
-- which it may have written its own row; $9 run id, $10 tool version, $11 git commit, $12 backup id, $13 reason.
WITH own AS (
    DELETE FROM :"schema".:"table" AS h
    WHERE h.ctid = ANY (ARRAY[
            (SELECT n.ctid FROM :"schema".:"table" AS n WHERE n.version >= $7 ORDER BY n.version LIMIT 1),
            (SELECT n.ctid FROM :"schema".:"table" AS n WHERE n.version >= $8 ORDER BY n.version LIMIT 1)])
        AND (h.version = $7 OR h.version = $8) AND h.run_id IS NULL AND h.checksum_version IS NULL
), changed AS (
    UPDATE :"schema".:"table" AS h SET state = 'applied', applied_at = pg_catalog.now(),
        execution_ms = $6::pg_catalog.int8, statements_done = h.statements_total, statement_started = NULL
    WHERE h.version = $5 AND pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        ELSE 'server_version_num' END) IS NOT NULL
    RETURNING h.version, h.execution_ms
)
INSERT INTO :"schema".:"log" (action, version, run_id, execution_ms, reason, tool_version, git_commit, backup_id)
SELECT 'applied', $5, $9, $6::pg_catalog.int8, $13, $10, $11, $12
WHERE pg_catalog.current_setting(CASE
    WHEN EXISTS (SELECT FROM changed) THEN 'server_version_num'
    ELSE 'pgmigrate.history_row_gone' END) IS NOT NULL
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid, execution_ms
