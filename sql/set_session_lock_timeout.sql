-- As set_lock_timeout, for a statement outside any transaction.
SET lock_timeout = :"value"
