-- A row of one's own is locked.
SELECT FROM :relation AS r WHERE :own_row FOR UPDATE
