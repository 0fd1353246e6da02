-- How many rows there are of the other tenant.
SELECT count(*) AS theirs FROM :relation AS r WHERE :theirs
