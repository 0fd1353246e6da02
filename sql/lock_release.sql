-- One row, column released: whether the session held the run lock $1 (bigint) and has given it back.
SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int8) AS released
