-- Let the numbers go on after those given already. Returns the last one.
SELECT pg_catalog.setval(
    pg_catalog.pg_get_serial_sequence(pg_catalog.max(h.tableoid::pg_catalog.regclass::pg_catalog.text), 'sequence'),
    pg_catalog.max(h.sequence))
FROM :"schema".:"table" AS h
HAVING pg_catalog.count(*) > 0
