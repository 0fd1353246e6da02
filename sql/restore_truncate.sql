-- An empty table, in this transaction: what is copied into it needs no log where wal_level is minimal, and may be frozen.
TRUNCATE TABLE ONLY :"schema".:"name"
