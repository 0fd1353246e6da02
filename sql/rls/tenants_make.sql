-- Two tenants and one more that nobody is, of the type $1 of the category $2 of pg_type.
SELECT u.tenant
  FROM (SELECT CASE WHEN $1 = 'smallint' THEN (32001 + n)::text
                    WHEN $2 = 'N' THEN (2000000001 + n)::text
                    WHEN $1 = 'uuid' THEN format('00000000-0000-4000-8000-%s', lpad((990000000001 + n)::text, 12, '0'))
                    WHEN $2 = 'E' THEN (SELECT e.enumlabel::text
                                          FROM pg_catalog.pg_enum AS e
                                         WHERE e.enumtypid = $1::pg_catalog.regtype
                                         ORDER BY e.enumsortorder OFFSET n LIMIT 1)
                    ELSE 'pgmigrate_' || pg_catalog.chr(97 + n)
               END AS tenant
          FROM generate_series(0, 2) AS n) AS u
 WHERE u.tenant IS NOT NULL
