-- Add the order of application. Nothing comes back.
ALTER TABLE :"schema".:"table" ADD COLUMN sequence pg_catalog.int8
