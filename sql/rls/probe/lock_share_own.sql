-- A row of one's own is locked against changes.
SELECT FROM :relation AS r WHERE :own_row FOR SHARE
