-- One row: the lock of the scratch database $1 is given back.
SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtextextended($1, 0)) AS unlocked
