-- S15, low: a UNIQUE of values that people choose, without the tenant: the error about a duplicate tells that another tenant has it.
-- Keys that the database makes (identity, sequences, any other default), uuids, and references to other tables are not guessed.
WITH :scope
SELECT 'S15' AS "check", 'low' AS severity, t.object, NULL AS role,
       format('the unique key (%s) spans tenants: an error about a duplicate tells what another tenant has', k.names) AS message,
       format('UNIQUE (%I, %s)', n.name, k.names) AS hint, format('index %I', x.relname) AS evidence,
       false AS inconclusive
  FROM tenant_table AS t
  JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid AND i.indisunique
  JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
  JOIN tenant_key AS n ON n.relation = t.oid
 CROSS JOIN LATERAL (SELECT string_agg(COALESCE(quote_ident(a.attname), pg_catalog.pg_get_indexdef(i.indexrelid, u.place::int, false)), ', '
                                       ORDER BY u.place) AS names,
                            COALESCE(bool_or(a.attnum = ANY (n.numbers)), false) AS tenant,
                            COALESCE(bool_or(a.attidentity <> '' OR a.atthasdef OR a.atttypid = 'uuid'::regtype), false) AS made,
                            bool_or(EXISTS (SELECT
                                              FROM pg_catalog.pg_constraint AS f
                                             WHERE f.conrelid = t.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey))) AS refers
                       FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u(number, place)
                       LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = u.number
                      WHERE u.place <= i.indnkeyatts) AS k
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = t.oid)
   AND k.names IS NOT NULL
   AND NOT k.tenant
   AND NOT k.made
   AND NOT k.refers
 ORDER BY t.object, x.relname
