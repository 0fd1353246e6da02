-- Whether this session has prepared a statement under the name $1 (prepared).
SELECT EXISTS (SELECT FROM pg_catalog.pg_prepared_statements AS p WHERE p.name = $1) AS prepared
