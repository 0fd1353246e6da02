-- Writes as applications do, in a transaction that is rolled back: one row, changed to what it is.
UPDATE :"schema".:"table" SET :"column" = :"column"
 WHERE (tableoid, ctid) = (SELECT t.tableoid, t.ctid FROM :"schema".:"table" AS t LIMIT 1)
