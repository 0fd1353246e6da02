-- Write a record into the catalog: $1 file, $2 stamp, $3 id, $4 database, $5 taken_at, $6 bytes, $7 content.
INSERT OR REPLACE INTO record (file, stamp, id, database, taken_at, bytes, content)
VALUES (?1, ?2, ?3, ?4, ?5, CAST(?6 AS INTEGER), ?7)
