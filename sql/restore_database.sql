-- The database $1: its encoding, whether it takes connections; no row where there is none.
SELECT pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datallowconn AS connections,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts AS x WHERE x.database = d.datname) AS prepared
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = $1
