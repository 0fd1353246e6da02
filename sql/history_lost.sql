-- A migration stopped with its connection: the log says so. What its row says stays true, and may be another run's by now.
-- Nothing comes back.
-- $1 version, $2 run id, $3 message, $4 tool version, $5 git commit, $6 backup id, $7 reason, $8 action.
INSERT INTO :"schema".:"log" (action, version, run_id, reason, detail, tool_version, git_commit, backup_id)
VALUES ($8, $1, $2, $7, $3, $4, $5, $6)
