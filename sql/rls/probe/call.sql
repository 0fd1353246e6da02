-- How many rows of other tenants a function answers, and of which one.
SELECT count(*), min(:whose) FROM :relation() AS r WHERE :foreign
