-- Begins a part of the transaction that can be undone alone.
SAVEPOINT pgmigrate
