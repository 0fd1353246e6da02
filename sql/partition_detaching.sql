-- Partitions named $1, as it is written in SQL, whose DETACH CONCURRENTLY was not finished: finish, the statement that does.
-- Of several schemas' without one in the name, that of the search_path comes first. From PostgreSQL 14 on.
SELECT pg_catalog.format('ALTER TABLE %I.%I DETACH PARTITION %I.%I FINALIZE', tn.nspname, t.relname, pn.nspname, p.relname) AS finish
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS p ON p.oid = i.inhrelid
  JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.inhparent
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
 CROSS JOIN pg_catalog.parse_ident($1) AS name
 WHERE i.inhdetachpending
   AND p.relname = name[pg_catalog.cardinality(name)]
   AND (pg_catalog.cardinality(name) = 1 OR pn.nspname = name[1])
 ORDER BY pg_catalog.pg_table_is_visible(p.oid) DESC
