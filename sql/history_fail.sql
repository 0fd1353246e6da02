-- A migration stopped: its row, if a no-transaction script has one, gets state failed; the log says why. The row of a
-- rollback script that stopped stays undoing, without the mark that the outcome of a statement is unknown. One row with xid.
-- Not guarded: it is told after the run lock may be gone, and touches only what this run began.
-- $1 version, $2 run id, $3 message, $4 tool version, $5 git commit, $6 backup id, $7 reason, $8 action.
WITH changed AS (
    UPDATE :"schema".:"table" AS h SET state = CASE h.state WHEN 'running' THEN 'failed' ELSE h.state END,
        statement_started = CASE h.state WHEN 'running' THEN h.statement_started END
    WHERE h.version = $1 AND (h.state = 'running' AND h.run_id = $2 OR h.state = 'undoing' AND $8 = 'rollback_failed')
)
INSERT INTO :"schema".:"log" (action, version, run_id, reason, detail, tool_version, git_commit, backup_id)
VALUES ($8, $1, $2, $7, $3, $4, $5, $6)
RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text AS xid
