-- The log, newest line first; at most $1 lines, or all for NULL.
SELECT pg_catalog.to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
    l.who, l.action, l.version, l.run_id, l.execution_ms, l.reason, l.detail, l.tool_version, l.git_commit,
    l.backup_id
FROM :"schema".:"log" AS l
ORDER BY l.id DESC
LIMIT $1::pg_catalog.int8
