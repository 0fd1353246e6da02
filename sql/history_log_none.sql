-- What history_log returns when there is no log: its columns and no row.
SELECT NULL AS at, NULL AS who, NULL AS action, NULL AS version, NULL AS run_id, NULL AS execution_ms, NULL AS reason,
    NULL AS detail, NULL AS tool_version, NULL AS git_commit, NULL AS backup_id
WHERE false
