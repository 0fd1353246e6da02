-- How many rows of the two tenants are to be seen by who is neither.
SELECT count(*), min(:whose) FROM :relation AS r WHERE :mine OR :theirs
