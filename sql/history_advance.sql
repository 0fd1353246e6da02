-- The first $6 statements of a no-transaction script are done. One row with xid.
-- $1 the table's quoted name, $2 its oid, $3 and $4 the run lock's witness; $5 version; $7 execution_ms so far.
WITH changed AS (
    UPDATE :"schema".:"table" AS h
    SET statements_done = $6::pg_catalog.int4, statement_started = NULL,
        execution_ms = $7::pg_catalog.int8
    WHERE h.version = $5 AND pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        ELSE 'server_version_num' END) IS NOT NULL
    RETURNING h.version
)
SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid
WHERE pg_catalog.current_setting(CASE
    WHEN EXISTS (SELECT FROM changed) THEN 'server_version_num'
    ELSE 'pgmigrate.history_row_gone' END) IS NOT NULL
