-- The server notices within this time that its client is gone; server 14 and later.
SET client_connection_check_interval = 2000
