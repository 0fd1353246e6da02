-- No end of the session for waiting between transactions; server 14 and later.
SET idle_session_timeout = 0
