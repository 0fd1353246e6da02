-- What was done since the savepoint stays in the transaction.
RELEASE SAVEPOINT pgmigrate
