-- Every relation outside the system schemas and the history ($1 schema, $2 table, $3 log), in order of oid: oid, quoted name, kind
-- (relkind), oid of an index's table, file number (NULL where it has none), bytes (with TOAST, without indexes), bytes of its rows
-- alone, and how often it was scanned, and rows of it written, since the server counts.
SELECT c.oid::pg_catalog.int8 AS oid,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       c.relkind AS kind,
       i.indrelid::pg_catalog.int8 AS "table",
       pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8 AS file,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) ELSE pg_catalog.pg_relation_size(c.oid) END AS bytes,
       pg_catalog.pg_relation_size(c.oid) AS heap,
       pg_catalog.pg_stat_get_numscans(c.oid) + pg_catalog.pg_stat_get_xact_numscans(c.oid) AS scans,
       pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid)
           + pg_catalog.pg_stat_get_tuples_deleted(c.oid) + pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
           + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS written
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
 WHERE n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND c.relkind IN ('r', 'm', 'p', 'i', 'I', 'v', 'S', 'f')
   AND NOT (n.nspname = $1 AND COALESCE(t.relname, c.relname) IN ($2, $3))
 ORDER BY c.oid
