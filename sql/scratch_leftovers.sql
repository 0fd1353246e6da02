-- The scratch databases of rehearsals, but for those that somebody wanted to keep. Their names have a random part of 32
-- digits, so that no other database is taken for one.
SELECT d.datname AS name
  FROM pg_catalog.pg_database AS d
 WHERE d.datname ~ '^pgmigrate_rehearsal_[0-9a-f]{32}$'
   AND pg_catalog.shobj_description(d.oid, 'pg_database') IS NULL
 ORDER BY d.datname
