-- The ledger of a restore, in the database that is restored: one row that tells what and how far, and a row for each
-- COPY, written in its transaction. The schema is dropped when the restore is complete.
CREATE SCHEMA pgmigrate_restore;
CREATE TABLE pgmigrate_restore.run (
    backup text NOT NULL,
    options text NOT NULL,
    created boolean NOT NULL,
    step text NOT NULL
);
CREATE TABLE pgmigrate_restore.chunk (
    part integer NOT NULL,
    chunk integer NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    fingerprint text NOT NULL,
    PRIMARY KEY (part, chunk)
)
