-- The time column :"column" is filled by itself from now on. Nothing comes back.
ALTER TABLE :"schema".:"table" ALTER COLUMN :"column" SET DEFAULT pg_catalog.now()
