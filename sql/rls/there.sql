-- Whether the relation with the oid $1 is there, or else the relation or function $2, as it is written with its schema (there).
SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = $1::oid)
       OR CASE WHEN $2::text LIKE '%)' THEN pg_catalog.to_regprocedure($2) IS NOT NULL ELSE pg_catalog.to_regclass($2) IS NOT NULL END AS there
