-- The foreign keys of the table $1, a row for each of their columns: "needed" where all columns of the key must have a value,
-- "alone" where a unique index has none but the key's columns, others of foreign keys, and the column $2: then each row
-- needs another parent.
WITH key AS (
    SELECT k.oid, k.confrelid, k.conkey, k.confkey
      FROM pg_catalog.pg_constraint AS k
     WHERE k.conrelid = $1::pg_catalog.oid AND k.contype = 'f'
), bound AS (
    SELECT DISTINCT u.number FROM key AS k CROSS JOIN LATERAL unnest(k.conkey) AS u (number)
    UNION
    SELECT a.attnum FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1::pg_catalog.oid AND a.attname = $2::pg_catalog.text
)
SELECT k.oid, k.confrelid AS parent, format('%I.%I', n.nspname, p.relname) AS object, c.attname AS column,
       f.attname AS parent_column,
       NOT EXISTS (SELECT
                     FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum = ANY (k.conkey)
                      AND (NOT a.attnotnull OR a.atthasdef)) AS needed,
       EXISTS (SELECT
                 FROM pg_catalog.pg_index AS i
                WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique
                  AND i.indkey::int2[] && k.conkey
                  AND i.indkey::int2[] <@ ARRAY(SELECT b.number FROM bound AS b)) AS alone
  FROM key AS k
  JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.relnamespace
 CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (child, parent, place)
  JOIN pg_catalog.pg_attribute AS c ON c.attrelid = $1::pg_catalog.oid AND c.attnum = u.child
  JOIN pg_catalog.pg_attribute AS f ON f.attrelid = k.confrelid AND f.attnum = u.parent
 ORDER BY k.oid, u.place
