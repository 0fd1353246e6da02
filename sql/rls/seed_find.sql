-- A row of the table, with all its columns, and where it is.
SELECT r.tableoid::text AS "pgmigrate table", r.ctid::text AS "pgmigrate place", r.*
  FROM :relation AS r
 WHERE :condition
 LIMIT 1
