-- How many rows of the other tenant's refer to a row of one's own.
SELECT count(*) AS theirs FROM :relation AS r WHERE :their_row_now
