-- No limit on a whole transaction but those of its statements; server 17 and later.
SET transaction_timeout = 0
