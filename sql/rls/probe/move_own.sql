-- A row of one's own stays where it is.
UPDATE :relation AS r SET :stay WHERE :own_row
