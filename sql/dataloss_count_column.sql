-- One row: the values of a column that are not null, counted up to $1 (bigint).
SELECT pg_catalog.count(*) AS rows
  FROM (SELECT FROM :"schema".:"table" WHERE :"column" IS NOT NULL LIMIT $1::pg_catalog.int8) AS t
