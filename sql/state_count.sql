-- One row: how many rows a table holds, without those of tables that inherit from it.
SELECT pg_catalog.count(*) AS rows
  FROM ONLY :"schema".:"table"
