-- Closes the session's cursors, those WITH HOLD too.
CLOSE ALL
