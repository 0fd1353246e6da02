-- The catalog of a repository: what its records say, as they were when their files had this stamp. The columns
-- between are for whoever looks with sqlite3.
CREATE TABLE record (
    file TEXT PRIMARY KEY,
    stamp TEXT NOT NULL,
    id TEXT NOT NULL,
    database TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    content TEXT NOT NULL
);
PRAGMA user_version = 1;
