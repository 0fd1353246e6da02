-- How long what follows in this transaction waits for the history table: nobody locks it for long who means well.
SELECT pg_catalog.set_config('lock_timeout', '5s', true)
