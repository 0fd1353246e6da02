-- Settings given to the role or the database that stop long work. Rows: name, value, source.
SELECT s.name, pg_catalog.current_setting(s.name) AS value, s.source
FROM pg_catalog.pg_settings AS s
WHERE s.name IN ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
    AND s.setting <> '0'
ORDER BY s.name
