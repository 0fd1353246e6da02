-- Another tenant's row is locked.
SELECT FROM :relation AS r WHERE :their_row FOR UPDATE
