-- Gives back the session's advisory locks but the run lock $1 (bigint) and its witness: one row, given. A lock is held as often as it was
-- taken; what was not held any more is a warning and false, so each is given back many times (see set_errors_only).
SELECT pg_catalog.count(*) FILTER (WHERE CASE
    WHEN l.objsubid = 1 AND l.mode = 'ExclusiveLock'
        THEN pg_catalog.pg_advisory_unlock((l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8)
    WHEN l.objsubid = 1
        THEN pg_catalog.pg_advisory_unlock_shared((l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8)
    WHEN l.mode = 'ExclusiveLock'
        THEN pg_catalog.pg_advisory_unlock(l.classid::pg_catalog.int4, l.objid::pg_catalog.int4)
    ELSE pg_catalog.pg_advisory_unlock_shared(l.classid::pg_catalog.int4, l.objid::pg_catalog.int4) END) AS given
FROM pg_catalog.pg_locks AS l CROSS JOIN pg_catalog.generate_series(1, 20)
WHERE l.locktype = 'advisory'
    AND l.pid = pg_catalog.pg_backend_pid()
    AND l.granted
    AND NOT (l.objsubid IN (1, 2)
        AND (l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8 = $1::pg_catalog.int8)
