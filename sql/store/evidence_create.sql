-- What rehearsals found, and what the same files took when they were applied. rehearsed: a line for each migration, with
-- the checksums of its files. document: the whole, as "rehearse --evidence" writes it.
CREATE TABLE rehearsal (
    id TEXT PRIMARY KEY,
    began_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    environment TEXT,
    server TEXT,
    tool_version TEXT,
    passed INTEGER NOT NULL,
    document TEXT
);
CREATE TABLE rehearsed (
    rehearsal TEXT NOT NULL REFERENCES rehearsal (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    version TEXT NOT NULL,
    checksum TEXT NOT NULL,
    rollback_checksum TEXT,
    verify_checksum TEXT,
    passed INTEGER NOT NULL,
    round_trip TEXT NOT NULL,
    execution_ms INTEGER NOT NULL,
    low_ms INTEGER NOT NULL,
    high_ms INTEGER NOT NULL,
    correction REAL NOT NULL,
    lock_relation TEXT,
    lock_mode TEXT,
    lock_ms INTEGER NOT NULL,
    failure TEXT,
    PRIMARY KEY (rehearsal, position)
);
CREATE INDEX rehearsed_version ON rehearsed (version);
CREATE TABLE applied (
    run TEXT NOT NULL,
    version TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    server TEXT NOT NULL,
    database TEXT NOT NULL,
    rehearsal TEXT NOT NULL,
    execution_ms INTEGER NOT NULL,
    low_ms INTEGER NOT NULL,
    high_ms INTEGER NOT NULL,
    correction REAL NOT NULL,
    PRIMARY KEY (run, version)
);
PRAGMA user_version = 1;
