-- A step is done: $1 its name. One row if there is a ledger.
UPDATE pgmigrate_restore.run SET step = $1 RETURNING step
