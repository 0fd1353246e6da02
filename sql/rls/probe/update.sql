-- Another tenant's row is changed.
UPDATE :relation AS r SET :"touch" = r.:"touch" WHERE :their_row
