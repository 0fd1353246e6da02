-- One row, column released: whether the session held the run lock $1 (bigint) with its witness and has given them back.
SELECT pg_catalog.pg_advisory_unlock_shared(($1::pg_catalog.int8 >> 32)::pg_catalog.int4, ($1::pg_catalog.int8 << 32 >> 32)::pg_catalog.int4)
       AND pg_catalog.pg_advisory_unlock($1::pg_catalog.int8) AS released
