-- What this session has done so far in its transaction, for comparing with the last look: the position in the WAL in each row, and
-- each relation it holds a lock on, tables before indexes: oid, the strongest mode, and as in trace_relations.sql name (NULL: it is
-- dropped, or none of the user's), kind, table, file, bytes, heap; scans and written count this session's own. At least one row.
-- The history is left out ($1 schema, $2 table, $3 log).
SELECT pg_catalog.pg_wal_lsn_diff(w.position, '0/0')::pg_catalog.int8 AS wal,
       l.relation::pg_catalog.int8 AS oid,
       l.mode,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       c.relkind AS kind,
       i.indrelid::pg_catalog.int8 AS "table",
       pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8 AS file,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) ELSE pg_catalog.pg_relation_size(c.oid) END AS bytes,
       pg_catalog.pg_relation_size(c.oid) AS heap,
       pg_catalog.pg_stat_get_xact_numscans(l.relation) AS scans,
       pg_catalog.pg_stat_get_xact_tuples_inserted(l.relation) + pg_catalog.pg_stat_get_xact_tuples_updated(l.relation)
           + pg_catalog.pg_stat_get_xact_tuples_deleted(l.relation) AS written
  FROM pg_catalog.pg_current_wal_insert_lsn() AS w (position)
  LEFT JOIN (SELECT k.relation,
                    pg_catalog.max(pg_catalog.array_position(ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock',
                        'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
                        k.mode)) AS mode
               FROM pg_catalog.pg_locks AS k
              WHERE k.pid = pg_catalog.pg_backend_pid() AND k.locktype = 'relation' AND k.granted AND k.relation >= 16384
              GROUP BY k.relation) AS l ON true
  LEFT JOIN (pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n
                 ON n.oid = c.relnamespace AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_') ON c.oid = l.relation
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
 WHERE NOT (n.nspname = $1 AND COALESCE(t.relname, c.relname) IN ($2, $3)) IS TRUE
 ORDER BY i.indrelid IS NOT NULL, l.relation
