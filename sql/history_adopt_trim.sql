-- Take the blanks from the end of versions, with which they would be no file's. Nothing comes back. As history_read_any.
UPDATE :"schema".:"table" SET version = pg_catalog.rtrim(version) WHERE version <> pg_catalog.rtrim(version)
