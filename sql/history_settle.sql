-- One row: whether the history has version $1 (present) and whether run $2 put it there (ours).
SELECT pg_catalog.count(*) > 0 AS present,
       COALESCE(pg_catalog.bool_or(h.run_id::pg_catalog.text = $2::pg_catalog.text), false) AS ours
  FROM :"schema".:"table" AS h
 WHERE h.version::pg_catalog.text = $1::pg_catalog.text
