-- A row of one's own is deleted.
DELETE FROM :relation AS r WHERE :own_row
