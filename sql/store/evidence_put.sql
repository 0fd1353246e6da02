-- Keep a rehearsal: $1 id, $2 began_at, $3 ended_at, $4 environment, $5 server, $6 tool_version, $7 passed, $8 document.
INSERT INTO rehearsal (id, began_at, ended_at, environment, server, tool_version, passed, document)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, CAST(?7 AS INTEGER), ?8)
