-- One row, column locked: whether the session-level run lock $1 (bigint) was free and is ours now.
SELECT pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8) AS locked
