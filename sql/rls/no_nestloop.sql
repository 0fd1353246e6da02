-- For the rest of the transaction: nothing is known about how many rows a WITH has, and where there are many, joins would be loops
-- within loops.
SET LOCAL enable_nestloop = off
