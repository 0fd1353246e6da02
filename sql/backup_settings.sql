-- Sets what COPY's text and its reading depend on, for the session, as far as the server knows it: name and value of
-- each. $1 (boolean): for writing, else for reading.
SELECT s.name, pg_catalog.set_config(s.name, v.value, false) AS value
  FROM (VALUES ('search_path', '', NULL),
               ('DateStyle', 'ISO, MDY', NULL),
               ('IntervalStyle', 'postgres', NULL),
               ('TimeZone', 'UTC', NULL),
               ('extra_float_digits', '3', NULL),
               ('bytea_output', 'hex', NULL),
               ('lc_monetary', 'C', NULL),
               ('xmloption', 'content', NULL),
               ('array_nulls', 'on', NULL),
               ('standard_conforming_strings', 'on', NULL),
               ('row_security', 'off', NULL),
               ('statement_timeout', '0', NULL),
               ('lock_timeout', '0', NULL),
               ('idle_in_transaction_session_timeout', '0', NULL),
               ('idle_session_timeout', '0', NULL),
               ('transaction_timeout', '0', NULL),
               ('client_connection_check_interval', '1000', NULL),
               ('client_min_messages', 'warning', NULL),
               ('quote_all_identifiers', 'off', NULL),
               ('jit', 'off', NULL),
               ('synchronize_seqscans', 'off', false),
               ('enable_tidscan', 'on', false),
               ('max_parallel_workers_per_gather', '0', false),
               ('restrict_nonsystem_relation_kind', 'view, foreign-table', false),
               ('default_transaction_read_only', 'off', true),
               ('check_function_bodies', 'off', true),
               ('synchronous_commit', 'off', true)) AS v (name, value, writing)
  JOIN pg_catalog.pg_settings AS s ON s.name = v.name
 WHERE v.writing IS NULL
    OR v.writing = $1::pg_catalog.bool
 ORDER BY s.name
