-- Another tenant's row is deleted.
DELETE FROM :relation AS r WHERE :their_row
