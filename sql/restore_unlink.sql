-- Removes up to a thousand large objects, of a load that was interrupted: how many.
SELECT pg_catalog.count(pg_catalog.lo_unlink(l.oid)) AS objects
  FROM (SELECT m.oid FROM pg_catalog.pg_largeobject_metadata AS m LIMIT 1000) AS l
