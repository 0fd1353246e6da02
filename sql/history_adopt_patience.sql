-- Whoever reads the history waits behind us while we wait for it alone. Nothing comes back.
SET LOCAL lock_timeout = '2s'
