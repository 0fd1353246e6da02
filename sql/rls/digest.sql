-- One value (digest) that is another when anything changed on which row-level security depends: flags, owners, rights, options,
-- tenant columns, policies, keys, functions, roles, default privileges, publications. Statistics and file numbers do not count.
SELECT md5(concat_ws(' ',
    (SELECT sum(hashtextextended(ROW(c.oid, c.relname, c.relnamespace, c.relkind, c.relowner, c.relacl, c.reloptions,
                                     c.relrowsecurity, c.relforcerowsecurity, c.relnatts)::text, 0))
       FROM pg_catalog.pg_class AS c
      WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
    (SELECT sum(hashtextextended(ROW(p.oid, p.polrelid, p.polname, p.polcmd, p.polpermissive, p.polroles, p.polqual,
                                     p.polwithcheck)::text, 0))
       FROM pg_catalog.pg_policy AS p),
    (SELECT sum(hashtextextended(ROW(a.attrelid, a.attnum, a.attname, a.attnotnull, a.attacl)::text, 0))
       FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT sum(hashtextextended(ROW(k.oid, k.conrelid, k.confrelid, k.conkey, k.confdeltype, k.confupdtype)::text, 0))
       FROM pg_catalog.pg_constraint AS k
      WHERE k.contype IN ('f', 'p', 'u')),
    (SELECT sum(hashtextextended(ROW(i.indexrelid, i.indrelid, i.indkey)::text, 0))
       FROM pg_catalog.pg_index AS i
      WHERE i.indexrelid >= 16384 AND i.indisunique),
    (SELECT sum(hashtextextended(ROW(h.inhrelid, h.inhparent)::text, 0)) FROM pg_catalog.pg_inherits AS h),
    (SELECT sum(hashtextextended(ROW(w.oid, w.ev_class, w.ev_action)::text, 0))
       FROM pg_catalog.pg_rewrite AS w
      WHERE w.oid >= 16384),
    (SELECT sum(hashtextextended(ROW(f.oid, f.proname, f.proowner, f.prosecdef, f.proleakproof, f.provolatile, f.proconfig,
                                     f.proacl, f.prosrc)::text, 0))
       FROM pg_catalog.pg_proc AS f
      WHERE f.oid >= 16384),
    (SELECT sum(hashtextextended(ROW(r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolinherit, r.rolcanlogin)::text, 0))
       FROM pg_catalog.pg_roles AS r),
    (SELECT sum(hashtextextended(m::text, 0)) FROM pg_catalog.pg_auth_members AS m),
    (SELECT sum(hashtextextended(d::text, 0)) FROM pg_catalog.pg_default_acl AS d),
    (SELECT sum(hashtextextended(ROW(n.oid, n.nspacl)::text, 0)) FROM pg_catalog.pg_namespace AS n),
    (SELECT sum(hashtextextended(u::text, 0)) FROM pg_catalog.pg_publication_tables AS u))) AS digest
