-- Undoes what was done since the savepoint, settings included.
ROLLBACK TO SAVEPOINT pgmigrate
