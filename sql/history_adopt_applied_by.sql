-- Add applied_by; the rows that are there were applied by somebody unknown. Nothing comes back.
ALTER TABLE :"schema".:"table"
    ADD COLUMN applied_by pg_catalog.text,
    ALTER COLUMN applied_by SET DEFAULT SESSION_USER
