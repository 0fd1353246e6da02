-- Accept that the file of a version is gone. One row with xid. $1 the table's quoted name, $2 its oid, $3 and $4
-- the run lock's witness; $5 version, $6 run id, $7 tool version, $8 git commit, $9 reason.
WITH changed AS (
    UPDATE :"schema".:"table" AS h SET state = 'archived'
    WHERE h.version = $5 AND pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        ELSE 'server_version_num' END) IS NOT NULL
    RETURNING h.version
)
INSERT INTO :"schema".:"log" (action, version, run_id, reason, tool_version, git_commit)
SELECT 'archive', $5, $6, $9, $7, $8
WHERE pg_catalog.current_setting(CASE
    WHEN EXISTS (SELECT FROM changed) THEN 'server_version_num'
    ELSE 'pgmigrate.history_row_gone' END) IS NOT NULL
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid
