-- S19, high: a view that the application may use, without security_invoker, whose owner sees all rows of a table below: superusers,
-- BYPASSRLS, and owners of tables without FORCE. The owner is what counts: one who is subject to the policies is no finding. The same
-- of a rule, which acts with the rights of the owner of the table or view that it is on.
WITH RECURSIVE :scope, below (view, oid, as_owner) AS (
    -- What a view reads, and as whom: NULL is who asks.
    SELECT v.oid, v.oid, CASE WHEN 'security_invoker=true' = ANY (v.options) OR 'security_invoker=on' = ANY (v.options)
                                   OR 'security_invoker=1' = ANY (v.options) OR 'security_invoker=yes' = ANY (v.options)
                              THEN NULL ELSE v.owner END
      FROM relation AS v
     WHERE v.kind = 'v'
     UNION
    SELECT b.view, d.refobjid,
           CASE WHEN n.kind <> 'v' OR 'security_invoker=true' = ANY (n.options) OR 'security_invoker=on' = ANY (n.options)
                     OR 'security_invoker=1' = ANY (n.options) OR 'security_invoker=yes' = ANY (n.options)
                THEN b.as_owner ELSE n.owner END
      FROM below AS b
      JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = b.oid AND w.ev_type = '1'
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid <> b.oid
      JOIN relation AS n ON n.oid = d.refobjid
), rule AS MATERIALIZED (
    -- There are few: they come first.
    SELECT r.oid, r.object, r.owner, w.rulename AS name, d.refobjid AS acts_on,
           CASE w.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' WHEN '4' THEN 'DELETE' END AS privilege
      FROM relation AS r
      JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = r.oid
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid <> r.oid
     WHERE w.ev_type <> '1'
       AND NOT r.exempt
), acting AS MATERIALIZED (
    SELECT r.oid, r.object, r.name, r.privilege, t.object AS acts_on, e.name AS owner_name
      FROM rule AS r
      JOIN tenant_table AS t ON t.oid = r.acts_on AND t.row_security
      JOIN exempt_owner AS e ON e.relation = r.acts_on AND e.role = r.owner
)
SELECT DISTINCT 'S19' AS "check", 'high' AS severity, format('view %s', v.object) AS object, g.role_name AS role,
       format('%s all rows of %s: its owner %I is not subject to the policies',
              CASE WHEN g.reads THEN 'shows' ELSE 'lets through to' END, t.object, e.name) AS message,
       CASE WHEN current_setting('server_version_num')::int >= 150000
            THEN format('ALTER VIEW %s SET (security_invoker = true);', v.object)
            ELSE format('ALTER VIEW %s OWNER TO …; a role that policies apply to', v.object) END AS hint,
       CASE WHEN g.reads THEN format('SET ROLE %I; SELECT count(*) FROM %s;', g.role_name, v.object)
            ELSE format('granted: %s', g.privileges) END AS evidence,
       false AS inconclusive
  FROM below AS b
  JOIN relation AS v ON v.oid = b.view
  JOIN tenant_table AS t ON t.oid = b.oid AND t.row_security
  JOIN exempt_owner AS e ON e.relation = t.oid AND e.role = b.as_owner
  JOIN (SELECT g.relation, g.role_name, bool_or(g.privilege = 'SELECT') AS reads,
               string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege) AS privileges
          FROM granted AS g
         WHERE g.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
         GROUP BY g.relation, g.role_name) AS g ON g.relation = v.oid
 WHERE NOT v.exempt
 UNION ALL
SELECT DISTINCT 'S19', 'high', format('rule %I on %s', a.name, a.object), g.role_name,
       format('acts on %s as %I, who is not subject to the policies', a.acts_on, a.owner_name),
       format('DROP RULE %I ON %s; a trigger acts with the rights of who asks', a.name, a.object),
       format('granted: %s', g.privilege), false
  FROM acting AS a
  JOIN granted AS g ON g.relation = a.oid AND g.privilege = a.privilege
 ORDER BY object, role
