-- Whether this session has prepared the checks (prepared).
SELECT EXISTS (SELECT FROM pg_catalog.pg_prepared_statements AS p WHERE p.name = 'pgmigrate_rls') AS prepared
