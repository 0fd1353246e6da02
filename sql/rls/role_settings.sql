-- What ALTER ROLE … SET and ALTER DATABASE … SET give to a new session of the role $1 here; the most specific first.
SELECT DISTINCT ON (split_part(c.setting, '=', 1))
       split_part(c.setting, '=', 1) AS name, substr(c.setting, strpos(c.setting, '=') + 1) AS value
  FROM pg_catalog.pg_db_role_setting AS s
 CROSS JOIN LATERAL unnest(s.setconfig) AS c (setting)
 WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()))
   AND s.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1))
   AND split_part(c.setting, '=', 1) NOT IN ('role', 'session_authorization', 'statement_timeout', 'lock_timeout',
                                             'transaction_timeout', 'idle_in_transaction_session_timeout')
 ORDER BY split_part(c.setting, '=', 1), s.setrole = 0, s.setdatabase = 0
