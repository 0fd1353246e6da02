-- The rows of a table that was there first which say of themselves that they failed. Nothing comes back. As history_read_any.
UPDATE :"schema".:"table" AS h SET state = 'failed'
WHERE pg_catalog.to_jsonb(h) @> ANY (ARRAY['{"success": false}', '{"succeeded": false}', '{"successful": false}',
    '{"is_applied": false}', '{"dirty": true}', '{"failed": true}']::pg_catalog.jsonb[])
