-- Foreign keys between tables of tenants ($1: their oids) that do not say which tenant's the parent is (by a column that $2
-- names in its lines), and whose action
-- changes the child: their columns, and the literals of the parent's.
SELECT k.conrelid AS child, k.confrelid AS parent, quote_ident(k.conname) AS name,
       CASE WHEN k.confdeltype = 'c' THEN 'deletes' ELSE 'changes' END AS action,
       string_agg(format('%I', c.attname), ', ' ORDER BY u.place) AS columns,
       string_agg(format('pg_catalog.quote_nullable(r.%I)', f.attname), ', ' ORDER BY u.place) AS literals,
       string_agg(format('r.%I', c.attname), ', ' ORDER BY u.place) AS children
  FROM pg_catalog.pg_constraint AS k
 CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (child, parent, place)
  JOIN pg_catalog.pg_attribute AS c ON c.attrelid = k.conrelid AND c.attnum = u.child
  JOIN pg_catalog.pg_attribute AS f ON f.attrelid = k.confrelid AND f.attnum = u.parent
 WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.conparentid = 0
   AND k.conrelid = ANY ($1::pg_catalog.oid[]) AND k.confrelid = ANY ($1::pg_catalog.oid[])
 GROUP BY k.oid, k.conrelid, k.confrelid, k.conname, k.confdeltype
HAVING NOT bool_or(c.attname::text = ANY (pg_catalog.string_to_array($2, pg_catalog.chr(10))))
 ORDER BY k.conrelid, k.conname
