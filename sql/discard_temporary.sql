-- Drops the session's temporary tables, as its end would.
DISCARD TEMP
