-- Longest run of one statement in this transaction; value is such as 2000ms, 0 for ever.
SET LOCAL statement_timeout = :"value"
