-- S20, medium: materialized views of tables of tenants, and foreign tables with a tenant column, that the application may read:
-- neither can have policies, and a materialized view holds what its owner saw. Aggregates over all tenants may be meant: accept them.
WITH RECURSIVE :scope, below (view, oid) AS (
    SELECT v.oid, v.oid
      FROM relation AS v
     WHERE v.kind = 'm'
     UNION
    SELECT b.view, d.refobjid
      FROM below AS b
      JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = b.oid AND w.ev_type = '1'
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid <> b.oid
)
SELECT DISTINCT 'S20' AS "check", 'medium' AS severity, format('materialized view %s', v.object) AS object, g.role_name AS role,
       format('holds rows of %s without its policies', t.object) AS message,
       format('REVOKE SELECT ON %s FROM %s;', v.object,
              CASE WHEN g.grantee = 'PUBLIC' THEN g.grantee ELSE quote_ident(g.grantee) END) AS hint,
       format('SET ROLE %I; SELECT count(*) FROM %s;', g.role_name, v.object) AS evidence, false AS inconclusive
  FROM below AS b
  JOIN relation AS v ON v.oid = b.view
  JOIN tenant_table AS t ON t.oid = b.oid
  JOIN granted AS g ON g.relation = v.oid AND g.privilege = 'SELECT'
 WHERE NOT v.exempt
 UNION ALL
SELECT DISTINCT 'S20', 'medium', format('foreign table %s', f.object), g.role_name,
       'holds rows of tenants, and foreign tables cannot have policies',
       format('REVOKE %s ON %s FROM %s;', g.privilege, f.object,
              CASE WHEN g.grantee = 'PUBLIC' THEN g.grantee ELSE quote_ident(g.grantee) END),
       format('SET ROLE %I; SELECT count(*) FROM %s;', g.role_name, f.object), false
  FROM relation AS f
  JOIN granted AS g ON g.relation = f.oid AND g.privilege = 'SELECT'
 WHERE f.kind = 'f'
   AND NOT f.exempt
   AND EXISTS (SELECT FROM tenant_column AS c WHERE c.relation = f.oid)
 ORDER BY object, role
