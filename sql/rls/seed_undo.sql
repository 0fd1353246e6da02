-- What was done since the savepoint is undone, and it is gone.
ROLLBACK TO SAVEPOINT pgmigrate;
RELEASE SAVEPOINT pgmigrate
