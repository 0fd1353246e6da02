-- What the probes are about: tables, partitions and views with rows of tenants, and functions (kind F) that answer such rows as
-- who owns them, without an argument. "before" and "after" are the SQL around the comparison that says whose a row "r" is
-- (r.tenant_id = '1', or an EXISTS through its parents); "child" is a partition or an inheritance child; "label" is what
-- people call it.
WITH RECURSIVE :scope, direct AS (
    SELECT DISTINCT ON (c.relation) c.relation, c.name, c.type
      FROM tenant_column AS c
     CROSS JOIN pattern AS p
     ORDER BY c.relation, (SELECT min(o.place)
                             FROM unnest(p.tenant_columns) WITH ORDINALITY AS o (pattern, place)
                            WHERE c.name::text LIKE o.pattern), c.number
), parent_key AS (
    SELECT DISTINCT ON (t.relation) t.relation, p.oid AS parent, p.object, k.conkey, k.confkey
      FROM through AS t
      JOIN relation AS p ON format('%s.%s', p.schema, p.name) = t.parent OR p.name::text = t.parent
      JOIN pg_catalog.pg_constraint AS k ON k.contype = 'f' AND k.conrelid = t.relation AND k.confrelid = p.oid
     WHERE t.relation NOT IN (SELECT relation FROM direct)
     ORDER BY t.relation, k.oid
), path AS (
    SELECT k.relation, k.relation AS at, 0 AS depth, ''::text COLLATE "C" AS before
      FROM parent_key AS k
    UNION ALL
    SELECT p.relation, k.parent, p.depth + 1,
           p.before || format('EXISTS (SELECT FROM %s AS p%s WHERE %s AND ', k.object, p.depth + 1,
                              (SELECT string_agg(format('p%s.%I = %s.%I', p.depth + 1, f.attname,
                                                        CASE p.depth WHEN 0 THEN 'r' ELSE 'p' || p.depth END, c.attname),
                                                 ' AND ')
                                 FROM unnest(k.conkey, k.confkey) AS u (child, parent)
                                 JOIN pg_catalog.pg_attribute AS c ON c.attrelid = p.at AND c.attnum = u.child
                                 JOIN pg_catalog.pg_attribute AS f ON f.attrelid = k.parent AND f.attnum = u.parent))
      FROM path AS p
      JOIN parent_key AS k ON k.relation = p.at
     WHERE p.depth < 8
), way AS (
    SELECT d.relation, format('r.%I', d.name) AS before, '' AS after, d.name AS tenant, d.type, 0 AS depth
      FROM direct AS d
    UNION ALL
    SELECT p.relation, p.before || format('p%s.%I', p.depth, d.name), repeat(')', p.depth), NULL, d.type, p.depth
      FROM path AS p
      JOIN direct AS d ON d.relation = p.at
     WHERE p.depth > 0
)
, column_answered AS (
    SELECT f.oid, a.attname AS name, a.atttypid AS type
      FROM pg_catalog.pg_proc AS f
      JOIN pg_catalog.pg_type AS t ON t.oid = f.prorettype
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT f.oid, u.name, u.type
      FROM pg_catalog.pg_proc AS f
     CROSS JOIN LATERAL unnest(f.proargmodes, f.proargnames, f.proallargtypes) AS u (mode, name, type)
     WHERE u.mode IN ('t', 'o')
), function AS (
    SELECT DISTINCT ON (f.oid) f.oid, format('%I.%I()', n.nspname, f.proname) AS object, c.name, c.type
      FROM pg_catalog.pg_proc AS f
      JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
      JOIN column_answered AS c ON c.oid = f.oid
     CROSS JOIN pattern AS p
     WHERE f.prosecdef AND f.proretset AND f.prokind = 'f' AND f.pronargs = f.pronargdefaults
       AND c.name::text LIKE ANY (p.tenant_columns)
       AND n.nspname::text LIKE ANY (p.schemas)
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT
                         FROM pg_catalog.pg_depend AS d
                        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
     ORDER BY f.oid, c.name
)
(SELECT DISTINCT ON (r.object) r.oid, r.object,
       CASE r.kind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE '' END || r.object AS label, r.kind::text, w.before, w.after, w.tenant,
       pg_catalog.format_type(w.type, NULL) AS type, t.typcategory AS category,
       r.partition OR EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = r.oid) AS child
  FROM relation AS r
  JOIN way AS w ON w.relation = r.oid
  JOIN pg_catalog.pg_type AS t ON t.oid = w.type
 WHERE NOT r.exempt
 ORDER BY r.object, w.depth)
UNION ALL
SELECT f.oid, f.object, 'function ' || f.object, 'F', format('r.%I', f.name), '', f.name,
       pg_catalog.format_type(f.type, NULL), t.typcategory, false
  FROM function AS f
  JOIN pg_catalog.pg_type AS t ON t.oid = f.type
