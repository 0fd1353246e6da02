-- The ledger's one row: $1 the backup's id, $2 the options that a continuation must have too, $3 whether we made the
-- database.
INSERT INTO pgmigrate_restore.run (backup, options, created, step)
VALUES ($1, $2, $3::pg_catalog.bool, '')
