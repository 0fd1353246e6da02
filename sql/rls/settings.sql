-- For this transaction: $1 is what the checks look at (see scope.sql), and every name is written with its schema.
SELECT pg_catalog.set_config('pgmigrate.rls', $1, true), pg_catalog.set_config('search_path', 'pg_catalog', true)
