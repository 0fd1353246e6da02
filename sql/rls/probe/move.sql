-- A row of one's own becomes another tenant's.
UPDATE :relation AS r SET :move WHERE :own_row
