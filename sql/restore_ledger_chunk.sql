-- A COPY is part of this transaction: $1 the table's number, $2 the chunk's, $3 rows, $4 bytes, $5 fingerprint.
INSERT INTO pgmigrate_restore.chunk (part, chunk, rows, bytes, fingerprint)
VALUES ($1::pg_catalog.int4, $2::pg_catalog.int4, $3::pg_catalog.int8, $4::pg_catalog.int8, $5)
