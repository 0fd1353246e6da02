-- The names of all tablespaces.
SELECT t.spcname AS name
  FROM pg_catalog.pg_tablespace AS t
