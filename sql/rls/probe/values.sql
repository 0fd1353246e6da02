-- Columns of one row of the table.
SELECT :columns FROM :relation AS r WHERE :condition
