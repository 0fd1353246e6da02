-- Add applied_at; the rows that are there get no time by it. Nothing comes back.
ALTER TABLE :"schema".:"table"
    ADD COLUMN applied_at pg_catalog.timestamptz,
    ALTER COLUMN applied_at SET DEFAULT pg_catalog.now()
