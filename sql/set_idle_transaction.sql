-- No end of the session for waiting inside a transaction.
SET idle_in_transaction_session_timeout = 0
