-- How many rows of other tenants there are to see, and of which one.
SELECT count(*), min(:whose) FROM :relation AS r WHERE :foreign
