-- Whether the relation or function $1, as it is written with its schema, is there (there).
SELECT CASE WHEN $1::text LIKE '%)' THEN pg_catalog.to_regprocedure($1) IS NOT NULL ELSE pg_catalog.to_regclass($1) IS NOT NULL END AS there
