-- Tables of tenants with row security (object, pages, size for people, tenant columns as the server writes them,
-- names of the functions that the policies call, but for the server's own).
WITH :scope
SELECT t.object, t.pages, pg_catalog.pg_size_pretty(t.pages * current_setting('block_size')::int8) AS size,
       (SELECT string_agg(quote_ident(c.name), ',' ORDER BY c.number) FROM tenant_column AS c WHERE c.relation = t.oid) AS columns,
       (SELECT string_agg(DISTINCT f.proname::text, ',')
          FROM policy AS p
          JOIN pg_catalog.pg_depend AS d
            ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass
          JOIN pg_catalog.pg_proc AS f ON f.oid = d.refobjid
         WHERE p.relation = t.oid) AS functions
  FROM tenant_table AS t
 WHERE t.row_security
   AND NOT t.partition
 ORDER BY t.object
