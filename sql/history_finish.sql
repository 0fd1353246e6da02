-- All statements of a no-transaction script are done. One row with xid and execution_ms. $1 the table's quoted
-- name, $2 its oid, $3 and $4 the run lock's witness; $5 version; $6 execution_ms; $7 the versions that had
-- rows when the run began: of those that the script wrote, the ones that mean itself in another spelling go (see
-- history_record); $8 run id, $9 tool version, $10 git commit, $11 backup id, $12 reason.
WITH own AS (
    DELETE FROM :"schema".:"table" AS h
    WHERE h.version <> $5 AND h.version <> ALL ($7::pg_catalog.text[]) AND h.run_id IS NULL AND h.checksum_version IS NULL
        AND pg_catalog.ltrim(pg_catalog.regexp_replace(h.version, '\.sql$', ''), 'Vv0') IN
            (pg_catalog.ltrim($5, 'Vv0'), substring(pg_catalog.ltrim($5, 'Vv0') FROM '^[0-9]+[[:alpha:]]*'))
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
SELECT 'applied', $5, $8, $6::pg_catalog.int8, $12, $9, $10, $11
WHERE pg_catalog.current_setting(CASE
    WHEN EXISTS (SELECT FROM changed) THEN 'server_version_num'
    ELSE 'pgmigrate.history_row_gone' END) IS NOT NULL
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid, execution_ms
