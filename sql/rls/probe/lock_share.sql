-- Another tenant's row is locked against changes.
SELECT FROM :relation AS r WHERE :their_row FOR SHARE
