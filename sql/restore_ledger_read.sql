-- The ledger's row: backup, options, created, step (the last one that is done). None where it was not begun.
SELECT r.backup, r.options, r.created, r.step
  FROM pgmigrate_restore.run AS r
