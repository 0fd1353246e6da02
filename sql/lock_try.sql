-- One row, column locked: whether the session-level run lock $1 (bigint) was free and is ours now. With it comes its witness, a
-- shared lock on the key's two halves: that one can be given back and taken again to see that it is still held, which costs less
-- than a look at pg_locks, and never opens the run lock itself.
SELECT CASE WHEN pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8)
       THEN pg_catalog.pg_try_advisory_lock_shared(($1::pg_catalog.int8 >> 32)::pg_catalog.int4,
                                                   ($1::pg_catalog.int8 << 32 >> 32)::pg_catalog.int4)
       ELSE false
       END AS locked
