-- Partitions whose DETACH CONCURRENTLY was not finished: in the form of sql/state_facts. From PostgreSQL 14 on.
SELECT 'partition' AS kind, pg_catalog.format('%I.%I', n.nspname, c.relname) AS object, 'state' AS what,
       CASE WHEN i.inhdetachpending THEN 'being detached' ELSE 'attached' END AS value
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relispartition
   AND c.relkind IN ('r', 'p')
