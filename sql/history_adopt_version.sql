-- The version takes a stem of any length from now on. Nothing comes back.
ALTER TABLE :"schema".:"table" ALTER COLUMN version TYPE pg_catalog.text COLLATE pg_catalog."C"
