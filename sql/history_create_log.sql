-- Create the log beside the history table, unless it is there. Nothing comes back.
CREATE TABLE IF NOT EXISTS :"schema".:"log" (
    id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    who pg_catalog.text NOT NULL DEFAULT SESSION_USER,
    action pg_catalog.text NOT NULL,
    version pg_catalog.text COLLATE pg_catalog."C",
    run_id pg_catalog.text,
    execution_ms pg_catalog.int8,
    reason pg_catalog.text,
    detail pg_catalog.text,
    tool_version pg_catalog.text,
    git_commit pg_catalog.text,
    backup_id pg_catalog.text,
    "row" pg_catalog.jsonb
)
