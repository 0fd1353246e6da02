-- The columns of the table $1 that change when a row becomes another tenant's: the tenant column $2 and those that stand in
-- a foreign key with it; without one, the keys to parents of tenants ($3: their oids).
SELECT DISTINCT a.attname AS column, a.attnum
  FROM pg_catalog.pg_attribute AS a
  LEFT JOIN pg_catalog.pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)
 WHERE a.attrelid = $1::pg_catalog.oid AND NOT a.attisdropped AND a.attgenerated = ''
   AND (a.attname = $2::pg_catalog.text
        OR CASE WHEN $2::pg_catalog.text IS NULL THEN k.confrelid = ANY ($3::pg_catalog.oid[])
                ELSE EXISTS (SELECT
                               FROM pg_catalog.pg_attribute AS t
                              WHERE t.attrelid = a.attrelid AND t.attname = $2::pg_catalog.text AND t.attnum = ANY (k.conkey)) END)
 ORDER BY a.attnum
