-- No idle timeouts, and a check of the client's socket during statements, as far as the server knows these settings.
SELECT pg_catalog.set_config(s.name, v.setting, false)
  FROM (VALUES ('idle_in_transaction_session_timeout', '0'),
               ('idle_session_timeout', '0'),
               ('transaction_timeout', '0'),
               ('client_connection_check_interval', '2000')) AS v (name, setting)
  JOIN pg_catalog.pg_settings AS s ON s.name = v.name
