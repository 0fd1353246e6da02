-- One row: whether this session has now got the lock of the scratch database $1, which its rehearsal holds until its end.
SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) AS locked
