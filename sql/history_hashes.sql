-- The hashes of the statements of version $1, in order, one row each.
SELECT s.hash
FROM :"schema".:"table" AS h, pg_catalog.unnest(h.statement_hashes) WITH ORDINALITY AS s (hash, number)
WHERE h.version = $1
ORDER BY s.number
