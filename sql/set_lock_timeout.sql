-- Longest wait for one lock in this transaction; value is such as 2000ms, 0 for ever.
SET LOCAL lock_timeout = :"value"
