-- Column :"column" takes text of any length from now on. Nothing comes back.
ALTER TABLE :"schema".:"table" ALTER COLUMN :"column" TYPE pg_catalog.text
