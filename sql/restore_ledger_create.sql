-- The ledger of a restore, in the database that is restored: one row that tells what and how far, and a row for each
-- COPY, written in its transaction. The schema is dropped when the restore is complete. A restored publication FOR ALL
-- TABLES is for these, too, and would forbid changes to a table whose rows nothing identifies.
CREATE SCHEMA pgmigrate_restore;
CREATE TABLE pgmigrate_restore.run (
    backup text NOT NULL,
    options text NOT NULL,
    created boolean NOT NULL,
    step text NOT NULL
);
ALTER TABLE pgmigrate_restore.run REPLICA IDENTITY FULL;
CREATE TABLE pgmigrate_restore.chunk (
    part integer NOT NULL,
    chunk integer NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    fingerprint text NOT NULL,
    PRIMARY KEY (part, chunk)
)
