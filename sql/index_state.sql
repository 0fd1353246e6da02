-- The index named $1 on table $3 of schema $2 (NULL: found by the search_path), or where $1 is NULL all that are INVALID: valid,
-- schema, index, its name as it is written in SQL, and busy: somebody holds what a build CONCURRENTLY holds, so that it may
-- be one that is under way. No row when there is none.
SELECT i.indisvalid AS valid,
       n.nspname AS schema,
       c.relname AS index,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
                  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
                  AND l.pid <> pg_catalog.pg_backend_pid()) AS busy
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE CASE WHEN $1::pg_catalog.text IS NULL THEN NOT i.indisvalid ELSE c.relname = $1::pg_catalog.text END
   AND i.indrelid = pg_catalog.to_regclass(CASE WHEN $2::pg_catalog.text IS NULL
                                                THEN pg_catalog.quote_ident($3::pg_catalog.text)
                                                ELSE pg_catalog.format('%I.%I', $2::pg_catalog.text,
                                                                       $3::pg_catalog.text) END)
