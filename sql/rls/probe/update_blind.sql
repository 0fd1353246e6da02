-- All rows that may be updated, by a statement that reads no column.
UPDATE :relation SET :"touch" = DEFAULT
