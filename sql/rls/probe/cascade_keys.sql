-- The key of a row of one's own, each column as a literal.
SELECT pg_catalog.concat_ws(', ', :literals) AS keys FROM :relation AS r WHERE :own_row
