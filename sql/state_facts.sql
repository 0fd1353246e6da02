-- What a dump of the schema does not show: kind, object, what ("valid") and its value. $1, $2, $3 are the history's schema,
-- table and log, which are left out.
WITH relation AS (
    SELECT c.oid, c.relkind, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname <> 'information_schema'
       AND n.nspname !~ '^pg_'
       AND c.relpersistence <> 't'
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_class AS h
                         JOIN pg_catalog.pg_namespace AS hn ON hn.oid = h.relnamespace
                         LEFT JOIN pg_catalog.pg_depend AS d ON d.refobjid = h.oid
                          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                          AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                        WHERE hn.nspname = $1 AND h.relname IN ($2, $3) AND (h.oid = c.oid OR d.objid IS NOT NULL))
)
SELECT 'index' AS kind, r.name AS object, 'state' AS what,
       CASE WHEN i.indisvalid THEN 'valid' ELSE 'invalid' END AS value
  FROM relation AS r
  JOIN pg_catalog.pg_index AS i ON i.indexrelid = r.oid
UNION ALL
SELECT 'sequence', r.name, 'last value',
       CASE WHEN pg_catalog.has_sequence_privilege(r.oid, 'SELECT, USAGE')
            THEN COALESCE(pg_catalog.pg_sequence_last_value(r.oid)::pg_catalog.text, 'none') ELSE 'unknown' END
  FROM relation AS r
 WHERE r.relkind = 'S'
UNION ALL
SELECT 'trigger', r.name || '.' || pg_catalog.quote_ident(t.tgname), 'state', t.tgenabled::pg_catalog.text
  FROM relation AS r
  JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid
 WHERE NOT t.tgisinternal
