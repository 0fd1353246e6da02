-- A row of one's own is changed.
UPDATE :relation AS r SET :"touch" = r.:"touch" WHERE :own_row
