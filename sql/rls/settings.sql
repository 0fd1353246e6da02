-- For this transaction: $1 is what the checks look at (see scope.sql), and every name is written with its schema. Compiling such
-- statements would take longer than running them, and a script's own limit is not theirs. oldest is the oldest transaction that is running.
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.xid AS oldest,
       pg_catalog.set_config('pgmigrate.rls', $1, true), pg_catalog.set_config('search_path', 'pg_catalog', true),
       pg_catalog.set_config('jit', 'off', true), pg_catalog.set_config('statement_timeout', '0', true),
       pg_catalog.set_config('quote_all_identifiers', 'off', true)
