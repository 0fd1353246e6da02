-- What the role $1 may do with the function $2: S calls it, P makes temporary objects.
SELECT CASE WHEN pg_catalog.has_function_privilege($1, f.oid, 'EXECUTE')
             AND pg_catalog.has_schema_privilege($1, f.pronamespace, 'USAGE') THEN 'S' ELSE '' END ||
       CASE WHEN pg_catalog.has_database_privilege($1, pg_catalog.current_database(), 'TEMP') THEN 'P' ELSE '' END AS rights,
       NULL AS touch
  FROM pg_catalog.pg_proc AS f
 WHERE f.oid = $2::pg_catalog.oid
