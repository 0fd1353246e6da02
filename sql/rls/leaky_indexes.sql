-- P7, low: indexes that the application's roles can never use: no operator of their first column is leakproof, so the server
-- asks the policy first, and an index on something else is no help with that. numeric, jsonb, full text and trigrams are like that.
-- An index that begins with the tenant column, or keeps a key unique, has another purpose. 1000 pages: RLS_LARGE_PAGES.
WITH :scope, index AS (
    SELECT t.object AS table_object, t.pages, x.relname AS name, i.indexrelid, i.indclass[0] AS class,
           COALESCE(a.attname::text, 'an expression') AS named
      FROM tenant_table AS t
      JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid
      JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
      LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
     WHERE t.row_security
       AND NOT t.partition
       AND t.pages >= 1000
       AND NOT i.indisunique
       AND EXISTS (SELECT FROM policy AS p WHERE p.relation = t.oid)
       AND NOT EXISTS (SELECT FROM tenant_column AS c WHERE c.relation = t.oid AND c.number = i.indkey[0])
), asked AS (
    SELECT i.indexrelid, string_agg(DISTINCT o.oprname::text, ' ' ORDER BY o.oprname::text) AS operators
      FROM index AS i
      JOIN pg_catalog.pg_opclass AS c ON c.oid = i.class
      JOIN pg_catalog.pg_amop AS m ON m.amopfamily = c.opcfamily AND m.amopmethod = c.opcmethod AND m.amoppurpose = 's'
                                  AND m.amoplefttype = c.opcintype
      JOIN pg_catalog.pg_operator AS o ON o.oid = m.amopopr
      JOIN pg_catalog.pg_proc AS f ON f.oid = o.oprcode
     GROUP BY i.indexrelid
    HAVING NOT bool_or(f.proleakproof)
)
SELECT 'P7' AS "check", 'low' AS severity, i.table_object AS object, NULL AS role,
       format('no condition of a tenant can use the index %I (table of %s)', i.name,
              pg_catalog.pg_size_pretty(i.pages * current_setting('block_size')::int8)) AS message,
       format('Put the tenant column first in the index, or let a SECURITY DEFINER function search by %s.', i.named) AS hint,
       format('not leakproof: %s', a.operators) AS evidence, false AS inconclusive
  FROM index AS i
  JOIN asked AS a ON a.indexrelid = i.indexrelid
 ORDER BY i.table_object, i.name
