-- What is there of an archive's part after the data, in the words of its table of contents: kind, schema (null: none)
-- and name of each entry that must not be made again.
SELECT 'INDEX' AS kind, n.nspname AS schema, c.relname::pg_catalog.text AS name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('i', 'I')
UNION ALL
SELECT 'INDEX ATTACH', n.nspname, c.relname
  FROM pg_catalog.pg_inherits AS h
  JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('i', 'I')
UNION ALL
SELECT CASE t.contype WHEN 'f' THEN 'FK CONSTRAINT' WHEN 'c' THEN 'CHECK CONSTRAINT' ELSE 'CONSTRAINT' END,
       n.nspname, pg_catalog.concat(c.relname, ' ', t.conname)
  FROM pg_catalog.pg_constraint AS t
  JOIN pg_catalog.pg_class AS c ON c.oid = t.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE t.contype IN ('p', 'u', 'x', 'f', 'c')
   AND (t.contype <> 'f' OR t.conparentid = 0)
UNION ALL
SELECT 'TRIGGER', n.nspname, pg_catalog.concat(c.relname, ' ', t.tgname)
  FROM pg_catalog.pg_trigger AS t
  JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT t.tgisinternal
UNION ALL
SELECT 'RULE', n.nspname, pg_catalog.concat(c.relname, ' ', r.rulename)
  FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
UNION ALL
SELECT 'POLICY', n.nspname, pg_catalog.concat(c.relname, ' ', p.polname)
  FROM pg_catalog.pg_policy AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT 'STATISTICS', n.nspname, s.stxname
  FROM pg_catalog.pg_statistic_ext AS s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'PUBLICATION', NULL, p.pubname
  FROM pg_catalog.pg_publication AS p
UNION ALL
SELECT 'PUBLICATION TABLE', n.nspname, pg_catalog.concat(p.pubname, ' ', c.relname)
  FROM pg_catalog.pg_publication_rel AS r
  JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
  JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT 'SUBSCRIPTION', NULL, s.subname
  FROM pg_catalog.pg_subscription AS s
 WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
UNION ALL
SELECT 'EVENT TRIGGER', NULL, e.evtname
  FROM pg_catalog.pg_event_trigger AS e
