-- Tables of tenants with row security (object, pages, size for people, tenant columns as the server writes them,
-- names of the functions that the policies call, but for the server's own, and of the VOLATILE and the procedural ones among them).
WITH :scope
SELECT t.object, t.pages, pg_catalog.pg_size_pretty(t.pages * current_setting('block_size')::int8) AS size,
       (SELECT string_agg(quote_ident(c.name), ',' ORDER BY c.number) FROM tenant_column AS c WHERE c.relation = t.oid) AS columns,
       f.functions, f.volatile, f.procedural
  FROM tenant_table AS t
 CROSS JOIN LATERAL (SELECT string_agg(DISTINCT f.proname::text, ',') AS functions,
                            string_agg(DISTINCT f.proname::text, ',') FILTER (WHERE f.provolatile = 'v') AS volatile,
                            string_agg(DISTINCT f.proname::text, ',') FILTER (WHERE l.lanname NOT IN ('sql', 'c', 'internal')) AS procedural
                       FROM policy AS p
                       JOIN pg_catalog.pg_depend AS d
                         ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
                        AND d.refclassid = 'pg_catalog.pg_proc'::regclass
                       JOIN pg_catalog.pg_proc AS f ON f.oid = d.refobjid
                       JOIN pg_catalog.pg_language AS l ON l.oid = f.prolang
                      WHERE p.relation = t.oid) AS f
 WHERE t.row_security
   AND NOT t.partition
 ORDER BY t.object
