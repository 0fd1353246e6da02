-- Partitions named $1 whose DETACH CONCURRENTLY was not finished: finish, the statement that does. From PostgreSQL 14 on.
SELECT pg_catalog.format('ALTER TABLE %I.%I DETACH PARTITION %I.%I FINALIZE', tn.nspname, t.relname, pn.nspname, p.relname) AS finish
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS p ON p.oid = i.inhrelid
  JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.inhparent
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 WHERE i.inhdetachpending
   AND p.relname = $1
