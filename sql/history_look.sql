-- The columns of what has the history table's name, one row each; one row with a null oid when there is nothing of
-- that name. role: who we are to the server. single_unique: a unique index on this column alone, fit for ON
-- CONFLICT; deferrable: one that ON CONFLICT stumbles over. dependent: what keeps the column's type from being changed.
-- check: a constraint of the column. fixed: it is GENERATED ALWAYS. hidden: row-level security hides rows from this role. rule: one of the table's.
-- foreign_log: what has the log's name is not our log. may_…: what this role may do with table, log and schema.
-- type does not depend on quote_all_identifiers and search_path. $1 schema, $2 table, $3 log table.
SELECT me.role,
    c.oid::pg_catalog.text AS oid,
    CASE WHEN c.relpersistence = 'u' THEN 'u' ELSE c.relkind::pg_catalog.text END AS kind,
    pg_catalog.row_security_active(c.oid) AS hidden,
    (SELECT pg_catalog.min(r.rulename::pg_catalog.text) FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid) AS rule,
    EXISTS (SELECT FROM pg_catalog.pg_index AS p WHERE p.indrelid = c.oid AND p.indisprimary) AS has_primary_key,
    EXISTS (SELECT FROM pg_catalog.pg_class AS l
        WHERE l.relnamespace = n.oid AND l.relname = $3 AND l.relkind = 'r') AS has_log,
    EXISTS (SELECT FROM pg_catalog.pg_class AS l
        WHERE l.relnamespace = n.oid AND l.relname = $3
            AND (l.relkind <> 'r' OR 6 <> (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute AS o
                WHERE o.attrelid = l.oid AND NOT o.attisdropped
                    AND o.attname IN ('at', 'who', 'action', 'version', 'run_id', 'row')))) AS foreign_log,
    n.oid IS NOT NULL AS has_schema,
    CASE WHEN n.oid IS NULL THEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
        ELSE pg_catalog.has_schema_privilege(n.oid, 'CREATE') END AS may_create,
    pg_catalog.pg_has_role(c.relowner, 'USAGE') AS may_alter,
    pg_catalog.has_table_privilege(c.oid, 'INSERT') AS may_insert,
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
        AND pg_catalog.has_table_privilege(c.oid, 'DELETE') AS may_change,
    (SELECT pg_catalog.has_table_privilege(l.oid, 'SELECT') AND pg_catalog.has_table_privilege(l.oid, 'INSERT')
        FROM pg_catalog.pg_class AS l WHERE l.relnamespace = n.oid AND l.relname = $3 AND l.relkind = 'r') AS may_log,
    EXISTS (SELECT FROM pg_catalog.pg_class AS r
        WHERE r.relnamespace = c.relnamespace AND r.relname = 'ar_internal_metadata') AS beside_rails,
    a.attname AS name,
    CASE WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
        THEN pg_catalog.regexp_replace(pg_catalog.replace(pg_catalog.format_type(a.atttypid, NULL), '"', ''), '^pg_catalog[.]', '')
        WHEN t.oid IS NOT NULL
        THEN pg_catalog.format('%s.%I', t.typnamespace::pg_catalog.regnamespace, t.typname) END AS type,
    a.atttypmod > 0 AS limited,
    a.attnotnull AS not_null,
    a.atthasdef OR a.attidentity <> '' AS has_default,
    a.attidentity = 'a' OR a.attgenerated <> '' AS fixed,
    EXISTS (SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
            AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS single_unique,
    EXISTS (SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND NOT i.indimmediate
            AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS deferrable,
    (SELECT pg_catalog.min(pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)) FROM pg_catalog.pg_depend AS d
        WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
            AND d.classid IN ('pg_catalog.pg_rewrite'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
                'pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass,
                'pg_catalog.pg_publication_rel'::pg_catalog.regclass)) AS dependent,
    (SELECT pg_catalog.min(k.conname::pg_catalog.text) FROM pg_catalog.pg_constraint AS k
        WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)) AS "check"
FROM (SELECT CURRENT_USER::pg_catalog.text AS role) AS me
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = $1
    LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = $2
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
ORDER BY a.attnum
