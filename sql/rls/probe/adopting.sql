-- The columns of the table $1 that refer to tables of tenants ($3: their oids) without saying which tenant's ($2 is the
-- tenant column).
SELECT DISTINCT a.attname AS column, a.attnum
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
 WHERE k.conrelid = $1::pg_catalog.oid AND k.contype = 'f' AND k.confrelid = ANY ($3::pg_catalog.oid[]) AND $2::pg_catalog.text IS NOT NULL
   AND NOT EXISTS (SELECT
                     FROM pg_catalog.pg_attribute AS t
                    WHERE t.attrelid = k.conrelid AND t.attname = $2::pg_catalog.text AND t.attnum = ANY (k.conkey))
 ORDER BY a.attnum
