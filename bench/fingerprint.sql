-- One line: how many tables the migrations made, and a digest of everything they made: columns, constraints,
-- indexes, views, functions, triggers, policies, comments and rows. Databases with equal lines are alike.
WITH made AS (
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'item%'
), line (text) AS (
    SELECT concat_ws(' ', m.relkind, m.relname, m.relrowsecurity, obj_description(m.oid, 'pg_class')) FROM made m
    UNION ALL
    SELECT concat_ws(' ', m.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                     pg_get_expr(d.adbin, d.adrelid), col_description(m.oid, a.attnum))
    FROM made m
    JOIN pg_catalog.pg_attribute a ON a.attrelid = m.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = m.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT concat_ws(' ', m.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid))
    FROM made m JOIN pg_catalog.pg_constraint k ON k.conrelid = m.oid
    UNION ALL
    SELECT pg_get_indexdef(m.oid) FROM made m WHERE m.relkind = 'i'
    UNION ALL
    SELECT pg_get_viewdef(m.oid) FROM made m WHERE m.relkind = 'v'
    UNION ALL
    SELECT pg_get_functiondef(f.oid) || coalesce(obj_description(f.oid, 'pg_proc'), '')
    FROM pg_catalog.pg_proc f
    WHERE f.pronamespace = 'public'::regnamespace AND f.proname LIKE 'item%'
    UNION ALL
    SELECT pg_get_triggerdef(t.oid) FROM made m JOIN pg_catalog.pg_trigger t ON t.tgrelid = m.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT concat_ws(' ', m.relname, p.polname, pg_get_expr(p.polqual, p.polrelid))
    FROM made m JOIN pg_catalog.pg_policy p ON p.polrelid = m.oid
    UNION ALL
    SELECT m.relname || ' ' || query_to_xml(format(
               'SELECT count(*), md5(string_agg((to_jsonb(r) - ''created_at'')::text, '' '' ORDER BY (to_jsonb(r) - ''created_at'')::text)) FROM %I r',
               m.relname), false, true, '')::text
    FROM made m WHERE m.relkind = 'r'
)
SELECT (SELECT count(*) FROM made WHERE relkind = 'r') || ' tables, ' || count(*) || ' facts, '
       || md5(coalesce(string_agg(line.text, E'\n' ORDER BY line.text COLLATE "C"), ''))
FROM line;
