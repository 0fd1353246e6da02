-- One row: the rows of a table, not of those that inherit from it, counted up to $1 (bigint).
SELECT pg_catalog.count(*) AS rows
  FROM (SELECT FROM ONLY :"schema".:"table" LIMIT $1::pg_catalog.int8) AS t
