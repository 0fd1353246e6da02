-- Make the version unique in a table that has another primary key. Nothing comes back.
ALTER TABLE :"schema".:"table" ADD UNIQUE (version), ALTER COLUMN version SET NOT NULL
