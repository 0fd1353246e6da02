-- One row: whether the COPY of table $1 and chunk $2 was committed.
SELECT EXISTS (SELECT 1
                 FROM pgmigrate_restore.chunk AS c
                WHERE c.part = $1::pg_catalog.int4
                  AND c.chunk = $2::pg_catalog.int4) AS present
