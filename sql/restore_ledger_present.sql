-- One row: whether this database has a ledger, and how many objects of its own besides it. Those that initdb made have
-- OIDs below 16384 (FirstNormalObjectId).
SELECT pg_catalog.to_regclass('pgmigrate_restore.chunk') IS NOT NULL AS ledger,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c WHERE c.oid >= 16384)
       + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc AS p WHERE p.oid >= 16384)
       + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_type AS t WHERE t.oid >= 16384)
       + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace AS n WHERE n.oid >= 16384)
       + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_extension AS e WHERE e.oid >= 16384)
       + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) AS objects
