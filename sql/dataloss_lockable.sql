-- One row: whether the current role may lock the table $1 (oid) against all, and whether a column of it is soon read through.
SELECT pg_catalog.has_table_privilege($1::pg_catalog.oid, 'UPDATE, DELETE, TRUNCATE') AS lockable,
       pg_catalog.pg_table_size($1::pg_catalog.oid::pg_catalog.regclass) <= 67108864 AS small
