-- The columns of a unique key of the table $1 in which the tenant column $2 is not, the primary one first; nobody guesses a
-- UUID.
SELECT a.attname AS column, a.atttypid = 'pg_catalog.uuid'::pg_catalog.regtype AS unguessable
  FROM (SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns
          FROM pg_catalog.pg_index AS i
         WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
           AND i.indexprs IS NULL AND i.indimmediate
           AND NOT EXISTS (SELECT
                             FROM pg_catalog.pg_attribute AS t
                            WHERE t.attrelid = i.indrelid AND t.attname = $2::pg_catalog.text AND t.attnum = ANY (i.indkey))
         ORDER BY i.indisprimary DESC, i.indexrelid
         LIMIT 1) AS k
 CROSS JOIN LATERAL unnest(k.columns) WITH ORDINALITY AS u (number, place)
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.indrelid AND a.attnum = u.number
 ORDER BY u.place
