-- For each relation (oid) a number (digest) that is another when anything of it changed on which row-level security depends:
-- flags, owner, rights, options, columns, policies, keys, parents, a view's text. oid 0 stands for what belongs to no relation: functions,
-- roles, default privileges, schemas, publications. Statistics and file numbers do not count. name is the relation's, qualified.
WITH part (oid, hash) AS (
    SELECT c.oid, hashtextextended(ROW(c.relname, c.relnamespace, c.relkind, c.relowner, c.relacl, c.reloptions, c.relrowsecurity,
                                       c.relforcerowsecurity, c.relnatts)::text, 1)
      FROM pg_catalog.pg_class AS c
     WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     UNION ALL
    SELECT p.polrelid, hashtextextended(ROW(p.polname, p.polcmd, p.polpermissive, p.polroles, p.polqual, p.polwithcheck)::text, 2)
      FROM pg_catalog.pg_policy AS p
     UNION ALL
    SELECT a.attrelid, hashtextextended(ROW(a.attnum, a.attname, a.attnotnull, a.attacl)::text, 3)
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
       AND (a.attacl IS NOT NULL OR a.attname::text LIKE ANY (ARRAY(
            SELECT jsonb_array_elements_text(COALESCE(current_setting('pgmigrate.rls')::jsonb -> 'tenant_columns', '["%"]')))))
     UNION ALL
    SELECT k.conrelid, hashtextextended(ROW(k.oid, k.confrelid, k.conkey, k.confdeltype, k.confupdtype)::text, 4)
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f'
     UNION ALL
    SELECT i.indrelid, hashtextextended(ROW(i.indexrelid, i.indkey)::text, 5)
      FROM pg_catalog.pg_index AS i
     WHERE i.indexrelid >= 16384 AND i.indisunique
     UNION ALL
    SELECT h.inhrelid, hashtextextended(h.inhparent::text, 6)
      FROM pg_catalog.pg_inherits AS h
     UNION ALL
    SELECT w.ev_class, hashtextextended(w.ev_action::text, 7)
      FROM pg_catalog.pg_rewrite AS w
     WHERE w.oid >= 16384
     UNION ALL
    SELECT 0, hashtextextended(ROW(f.oid, f.proname, f.proowner, f.prosecdef, f.proleakproof, f.provolatile, f.proconfig, f.proacl,
                                   f.prosrc)::text, 8)
      FROM pg_catalog.pg_proc AS f
     WHERE f.oid >= 16384
     UNION ALL
    SELECT 0, hashtextextended(ROW(r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolinherit, r.rolcanlogin)::text, 9)
      FROM pg_catalog.pg_roles AS r
     UNION ALL
    SELECT 0, hashtextextended(m::text, 10) FROM pg_catalog.pg_auth_members AS m
     UNION ALL
    SELECT 0, hashtextextended(d::text, 11) FROM pg_catalog.pg_default_acl AS d
     UNION ALL
    SELECT 0, hashtextextended(ROW(n.oid, n.nspname, n.nspacl)::text, 12) FROM pg_catalog.pg_namespace AS n WHERE n.oid >= 16384
     UNION ALL
    SELECT COALESCE(pg_catalog.to_regclass(format('%I.%I', u.schemaname, u.tablename))::oid, 0), hashtextextended(u::text, 13)
      FROM pg_catalog.pg_publication_tables AS u
     UNION ALL
    SELECT 0, hashtextextended(u::text, 14) FROM pg_catalog.pg_publication AS u
)
SELECT p.oid, sum(p.hash) AS digest, NULLIF(p.oid, 0)::regclass AS name
  FROM part AS p
 GROUP BY p.oid
 ORDER BY p.oid
