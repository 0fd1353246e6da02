-- All rows that may be deleted, by a statement that reads no column.
DELETE FROM :relation
