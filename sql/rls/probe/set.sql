-- A setting of the session, until the savepoint's end.
SELECT pg_catalog.set_config(:'name', :'value', true);
