-- The same by way of a sample that is all of the table.
SELECT count(*), min(:whose) FROM :relation AS r TABLESAMPLE SYSTEM (100) WHERE :foreign
