-- Undoes a probe and everything set for it.
ROLLBACK TO SAVEPOINT pgmigrate_probe;
RELEASE SAVEPOINT pgmigrate_probe
