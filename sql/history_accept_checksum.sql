-- The file as it is now is what the history says was applied, under the file's version. One row with xid. $1 the
-- table's quoted name, $2 its oid, $3 and $4 the run lock's witness; $5 the row's version, $6 the file's
-- version, $7 description, $8 file name, $9 checksum, $10 checksum version, $11 rollback checksum, $12 forward
-- text, $13 rollback text, $14 run id, $15 tool version, $16 git commit, $17 reason.
WITH was AS (
    SELECT h.version, h.checksum FROM :"schema".:"table" AS h WHERE h.version = $5
), changed AS (
    UPDATE :"schema".:"table" AS h SET version = $6, description = $7, file_name = $8, checksum = $9,
        checksum_version = $10::pg_catalog.int4, rollback_checksum = $11, forward_text = $12, rollback_text = $13
    WHERE h.version = $5 AND pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        ELSE 'server_version_num' END) IS NOT NULL
    RETURNING h.version
)
INSERT INTO :"schema".:"log" (action, version, run_id, reason, detail, tool_version, git_commit)
SELECT 'accept_checksum', $6, $14, $17,
    (SELECT pg_catalog.concat('was ', was.version, ', checksum ', coalesce(was.checksum, 'none')) FROM was), $15, $16
WHERE pg_catalog.current_setting(CASE
    WHEN EXISTS (SELECT FROM changed) THEN 'server_version_num'
    ELSE 'pgmigrate.history_row_gone' END) IS NOT NULL
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid
