-- One row, number: of the transaction this runs in, as the session counts its transactions.
SELECT pg_catalog.split_part(l.virtualtransaction, '/', 2)::pg_catalog.int8 AS number
  FROM pg_catalog.pg_locks AS l
 WHERE l.locktype = 'virtualxid'
   AND l.pid = pg_catalog.pg_backend_pid()
 LIMIT 1
