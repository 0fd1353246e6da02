-- The rows of a table that was there first, whatever columns it has; as history_read. :"column" is its time column.
-- A row that says of itself that it failed, in one of the columns people have for that, has not been applied.
-- Its rows are counted in the order of that time, then of the number the version begins with.
SELECT pg_catalog.rtrim(h.j ->> 'version'),
    h.j ->> 'description',
    pg_catalog.to_char(h.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    h.j ->> 'applied_by',
    h.j ->> 'file_name',
    CASE WHEN h.j ->> 'checksum_version' = '1' THEN h.j ->> 'checksum' END,
    h.j ->> 'execution_ms',
    coalesce(h.j ->> 'transactional', 'true'),
    coalesce(h.j ->> 'state', CASE WHEN h.j @> ANY (ARRAY['{"success": false}', '{"succeeded": false}',
        '{"successful": false}', '{"is_applied": false}', '{"dirty": true}', '{"failed": true}']::pg_catalog.jsonb[])
        THEN 'failed' ELSE 'applied' END),
    h.j ->> 'statements_done',
    h.j ->> 'statements_total',
    h.j ->> 'statement_started',
    h.j ->> 'rollback_text' IS NOT NULL,
    CASE WHEN h.j ->> 'checksum_version' = '1' THEN h.j ->> 'rollback_checksum' END,
    h.j ->> 'run_id',
    h.j ->> 'backup_id',
    coalesce(h.j ->> 'out_of_order', 'false'),
    pg_catalog.row_number() OVER (ORDER BY (h.j ->> 'sequence')::pg_catalog.int8, h.at,
        pg_catalog.substring(h.j ->> 'version', '[0-9]+')::pg_catalog.numeric, h.j ->> 'version')
FROM (SELECT pg_catalog.to_jsonb(t) AS j, t.:"column"::pg_catalog.timestamptz AS at FROM :"schema".:"table" AS t) AS h
