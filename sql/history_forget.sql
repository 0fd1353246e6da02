-- Take a version out of the history; the log keeps its row whole. One row with xid and execution_ms, and what
-- the session is left with: temporary, cursors, prepared. $1 the
-- table's quoted name, $2 its oid, $3 and $4 the run lock's witness; $5 version, $6 action, $7 run id, $8 tool
-- version, $9 git commit, $10 backup id, $11 reason, $12 how many rows of other versions must be there still (see
-- history_record), $13 execution_ms, or -1 for the time since the transaction began. The rollback script may have deleted the row itself.
WITH gone AS (
    DELETE FROM :"schema".:"table" AS h
    WHERE h.version = $5
    RETURNING pg_catalog.to_jsonb(h) AS "row"
)
INSERT INTO :"schema".:"log" (action, version, run_id, execution_ms, reason, tool_version, git_commit, backup_id, "row")
SELECT $6, $5, $7,
    CASE WHEN $13::pg_catalog.int8 < 0
        THEN (1000 * extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now()))::pg_catalog.int8 ELSE $13 END,
    $11, $8, $9, $10, (SELECT gone."row" FROM gone)
WHERE pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        WHEN NOT EXISTS (SELECT FROM :"schema".:"table" AS o WHERE o.version <> $5)
            AND $12::pg_catalog.int8 > 0 THEN 'pgmigrate.history_emptied'
        WHEN CASE WHEN pg_catalog.pg_stat_get_xact_tuples_deleted($2::pg_catalog.oid) > 0 THEN
                (SELECT pg_catalog.count(*) FROM :"schema".:"table" AS o WHERE o.version <> $5)
                < $12::pg_catalog.int8
            END THEN 'pgmigrate.history_rows_gone'
        ELSE 'server_version_num' END) IS NOT NULL
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid, execution_ms,
    pg_catalog.pg_my_temp_schema() <> 0 AS temporary,
    EXISTS (SELECT FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable) AS cursors,
    EXISTS (SELECT FROM pg_catalog.pg_prepared_statements AS p WHERE p.from_sql) AS prepared
