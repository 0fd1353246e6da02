-- For each relation (oid) a number (digest) that is another when anything of it changed on which row-level security depends: flags,
-- owner, rights, options, columns, policies, keys, parents, a view's text, the rights on its schema. The oid of a function is
-- negative; that of default privileges stands for no relation; 0 is all that belongs to no relation: roles, publications. name is the
-- relation's or the function's, qualified; access is its owner and rights.
--
-- A catalog's row is known by the transaction that wrote it and its place, which is cheaper than reading what it says. A change that
-- means nothing here only makes the checks look once more. Of columns, there are many: those count that were written in or after the
-- transaction $1, the oldest one running at the first look, where it is NULL.
WITH part (oid, hash, name, access) AS (
    SELECT c.oid::bigint, hashtextextended(concat(c.xmin, c.ctid, n.xmin, n.ctid), 1), c.oid::regclass::text,
           concat(c.relowner, c.relacl)
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     UNION ALL
    SELECT p.polrelid::bigint, hashtextextended(concat(p.xmin, p.ctid), 2), NULL, NULL
      FROM pg_catalog.pg_policy AS p
     UNION ALL
    SELECT a.attrelid::bigint, hashtextextended(concat(a.xmin, a.ctid), 3), NULL, NULL
      FROM pg_catalog.pg_attribute AS a
     WHERE age(a.xmin) <= (SELECT age($1::xid))
     UNION ALL
    SELECT k.conrelid::bigint, hashtextextended(concat(k.xmin, k.ctid), 4), NULL, NULL
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f'
     UNION ALL
    SELECT i.indrelid::bigint, hashtextextended(concat(i.xmin, i.ctid), 5), NULL, NULL
      FROM pg_catalog.pg_index AS i
     WHERE i.indrelid >= 16384 AND i.indisunique
     UNION ALL
    SELECT h.inhrelid::bigint, hashtextextended(concat(h.xmin, h.ctid), 6), NULL, NULL
      FROM pg_catalog.pg_inherits AS h
     UNION ALL
    SELECT w.ev_class::bigint, hashtextextended(concat(w.xmin, w.ctid), 7), NULL, NULL
      FROM pg_catalog.pg_rewrite AS w
     WHERE w.oid >= 16384
     UNION ALL
    SELECT u.prrelid::bigint, hashtextextended(concat(u.xmin, u.ctid), 8), NULL, NULL
      FROM pg_catalog.pg_publication_rel AS u
     UNION ALL
    SELECT -f.oid::bigint, hashtextextended(concat(f.xmin, f.ctid), 9), f.oid::regprocedure::text, NULL
      FROM pg_catalog.pg_proc AS f
     WHERE f.oid >= 16384
     UNION ALL
    SELECT d.oid::bigint, hashtextextended(concat(d.xmin, d.ctid), 10), NULL, NULL
      FROM pg_catalog.pg_default_acl AS d
     UNION ALL
    SELECT 0, hashtextextended(ROW(r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolinherit, r.rolcanlogin)::text, 11), NULL, NULL
      FROM pg_catalog.pg_roles AS r
     UNION ALL
    SELECT 0, hashtextextended(concat(m.xmin, m.ctid), 12), NULL, NULL
      FROM pg_catalog.pg_auth_members AS m
     UNION ALL
    SELECT 0, hashtextextended(concat(s.xmin, s.ctid), 13), NULL, NULL
      FROM pg_catalog.pg_db_role_setting AS s
     UNION ALL
    SELECT 0, hashtextextended(concat(b.xmin, b.ctid), 14), NULL, NULL
      FROM pg_catalog.pg_publication AS b
     UNION ALL
    -- Triggers may set the tenant of a row.
    SELECT g.tgrelid::bigint, hashtextextended(concat(g.xmin, g.ctid), 16), NULL, NULL
      FROM pg_catalog.pg_trigger AS g
     WHERE NOT g.tgisinternal
     UNION ALL
    -- Whether policies call a function decides what it may do.
    SELECT -d.refobjid::bigint, hashtextextended(d.objid::text, 17), NULL, NULL
      FROM pg_catalog.pg_depend AS d
     WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid >= 16384
     UNION ALL
    -- Whole schemas in publications have a catalog of their own since 15.
    SELECT 0, hashtextextended(concat(d.xmin, d.ctid), 15), NULL, NULL
      FROM pg_catalog.pg_depend AS d
     WHERE d.refclassid = 'pg_catalog.pg_publication'::regclass AND d.classid <> 'pg_catalog.pg_publication_rel'::regclass
)
SELECT p.oid, sum(p.hash) AS digest, max(p.name) AS name, max(p.access) AS access
  FROM part AS p
 GROUP BY p.oid
 ORDER BY p.oid
