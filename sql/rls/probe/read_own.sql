-- How many rows of one's own there are to see.
SELECT count(*) FROM :relation AS r WHERE :mine
