-- Record a transactional migration as its transaction's last statement: one row with xid and execution_ms, and
-- what the session is left with: temporary, cursors, prepared. $1 the
-- table's quoted name, $2 its oid, $3 and $4 the run lock's witness; $5 version, $6 and $7 the numbers under
-- which the migration may have written its own row, $8 description, $9 file name, $10 checksum, $11 checksum
-- version, $12 rollback checksum, $13 forward text, $14 rollback text, $15 out of order, $16 run id, $17 tool
-- version, $18 git commit, $19 backup id, $20 reason, $21 how many rows of other versions were done when the run
-- began: together with what this run has logged, at least so many must be there still, or the next run would apply
-- them again. They are counted only where this session has deleted rows of the table, which the server's counters tell:
-- what earlier transactions did stays in them for a second or so, which costs time and nothing else. TRUNCATE does not
-- show there, so one row has to be there in any case. $22 the versions that had rows when the run began, where the
-- migration's text names the table, else NULL: of the rows that it wrote, those that mean itself in another spelling
-- ("042_orders.sql", "0042", "V042") go, and one of any other version, which the next run would take for applied, stops
-- it. The guard asks for a setting whose name is known only when
-- the statement runs, so the planner cannot settle it before; when something is wrong no such setting exists and
-- its name tells what (see history_explain). The plan is made once, maybe when the history is empty, and kept: so rows are looked
-- up in the order of the key, which no planner does by reading the whole table.
WITH written AS (
    SELECT n.ctid, n.version, pg_catalog.ltrim(pg_catalog.regexp_replace(n.version, '\.sql$', ''), 'Vv0') IN
        (pg_catalog.ltrim($5, 'Vv0'), substring(pg_catalog.ltrim($5, 'Vv0') FROM '^[0-9]+[[:alpha:]]*')) AS own
    FROM :"schema".:"table" AS n
    WHERE $22::pg_catalog.text[] IS NOT NULL AND n.run_id IS NULL AND n.checksum_version IS NULL
        AND n.version <> ALL ($22) AND n.version <> $5
), own AS (
    DELETE FROM :"schema".:"table" AS h
    WHERE h.ctid = ANY (ARRAY[
            (SELECT n.ctid FROM :"schema".:"table" AS n WHERE n.version >= $6 ORDER BY n.version LIMIT 1),
            (SELECT n.ctid FROM :"schema".:"table" AS n WHERE n.version >= $7 ORDER BY n.version LIMIT 1)])
        AND (h.version = $6 OR h.version = $7) AND h.run_id IS NULL AND h.checksum_version IS NULL
    RETURNING h.description
), spelled AS (
    DELETE FROM :"schema".:"table" AS h USING written AS w
    WHERE $22 IS NOT NULL AND h.ctid = w.ctid AND w.own
    RETURNING h.description
), recorded AS (
    INSERT INTO :"schema".:"table" AS h (version, description, applied_at, applied_by, execution_ms, state,
        transactional, out_of_order, tool_version, git_commit, backup_id, run_id, file_name, checksum_version,
        checksum, rollback_checksum, forward_text, rollback_text)
    SELECT $5, coalesce((SELECT pg_catalog.max(o.description) FROM (TABLE own UNION ALL TABLE spelled) AS o), $8),
        pg_catalog.now(), SESSION_USER,
        (1000 * extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now()))::pg_catalog.int8, 'applied',
        true, $15::pg_catalog.bool, $17, $18, $19, $16, $9, $11::pg_catalog.int4,
        $10, $12, $13, $14
    WHERE pg_catalog.current_setting(CASE
        WHEN NOT (pg_catalog.pg_advisory_unlock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)
            AND pg_catalog.pg_try_advisory_lock_shared($3::pg_catalog.int4, $4::pg_catalog.int4)) THEN 'pgmigrate.run_lock_lost'
        WHEN pg_catalog.to_regclass($1) IS DISTINCT FROM $2::pg_catalog.oid::pg_catalog.regclass
            THEN 'pgmigrate.history_replaced'
        WHEN NOT EXISTS (SELECT FROM :"schema".:"table" AS o
                WHERE o.version <> $5 AND o.version IS DISTINCT FROM $6 AND o.version IS DISTINCT FROM $7)
            AND ($21::pg_catalog.int8 > 0 OR EXISTS (SELECT FROM :"schema".:"log" AS l
                WHERE l.run_id = $16 AND l.action = 'applied' AND l.version <> $5)) THEN 'pgmigrate.history_emptied'
        WHEN CASE WHEN pg_catalog.pg_stat_get_xact_tuples_deleted($2::pg_catalog.oid) > 0 THEN
                (SELECT pg_catalog.count(*) FROM :"schema".:"table" AS o
                    WHERE o.version <> $5 AND o.version IS DISTINCT FROM $6 AND o.version IS DISTINCT FROM $7)
                < $21::pg_catalog.int8 + (SELECT pg_catalog.count(*) FROM :"schema".:"log" AS l
                    WHERE l.run_id = $16 AND l.action = 'applied' AND l.version <> $5)
            END THEN 'pgmigrate.history_rows_gone'
        WHEN EXISTS (SELECT FROM written AS w
                WHERE w.own IS NOT TRUE AND w.version IS DISTINCT FROM $6 AND w.version IS DISTINCT FROM $7)
            THEN 'pgmigrate.history_row_of_another'
        WHEN pg_catalog.current_setting('client_encoding') NOT IN ('UTF8', 'SQL_ASCII')
            THEN 'pgmigrate.encoding_changed'
        ELSE 'server_version_num' END) IS NOT NULL
    ON CONFLICT (version) DO UPDATE SET description = coalesce(h.description, excluded.description),
        applied_at = excluded.applied_at, applied_by = excluded.applied_by, execution_ms = excluded.execution_ms,
        state = excluded.state, transactional = true, out_of_order = excluded.out_of_order,
        sequence = excluded.sequence, statements_done = NULL, statements_total = NULL, statement_started = NULL,
        statement_hashes = NULL, tool_version = excluded.tool_version, git_commit = excluded.git_commit,
        backup_id = excluded.backup_id, run_id = excluded.run_id, file_name = excluded.file_name,
        checksum_version = excluded.checksum_version, checksum = excluded.checksum,
        rollback_checksum = excluded.rollback_checksum, forward_text = excluded.forward_text,
        rollback_text = excluded.rollback_text
    RETURNING h.version, h.execution_ms
)
INSERT INTO :"schema".:"log" (action, version, run_id, execution_ms, reason, tool_version, git_commit, backup_id)
SELECT 'applied', recorded.version, $16, recorded.execution_ms, $20, $17, $18, $19
FROM (VALUES (1)) AS one (row) LEFT JOIN recorded ON true
WHERE pg_catalog.current_setting(CASE
    WHEN recorded.version = $5 THEN 'server_version_num'
    WHEN recorded.version IS NOT NULL THEN 'pgmigrate.history_version_changed'
    ELSE 'pgmigrate.history_row_gone' END) IS NOT NULL
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid, execution_ms,
    pg_catalog.pg_my_temp_schema() <> 0 AS temporary,
    EXISTS (SELECT FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable) AS cursors,
    EXISTS (SELECT FROM pg_catalog.pg_prepared_statements AS p WHERE p.from_sql) AS prepared
