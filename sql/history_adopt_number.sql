-- Number the rows that were there first by time, then by the number their version begins with. Nothing comes back.
UPDATE :"schema".:"table" AS h SET sequence = n.number
FROM (SELECT t.ctid AS id, pg_catalog.row_number() OVER (ORDER BY t.applied_at,
        pg_catalog.substring(t.version, '[0-9]+')::pg_catalog.numeric, t.version) AS number
    FROM :"schema".:"table" AS t) AS n
WHERE h.ctid = n.id
