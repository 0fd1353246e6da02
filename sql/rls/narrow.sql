-- Let the checks of this transaction look only at the relations $1 (an array of oids) and at those that what they find depends on:
-- parents and children, what a view reads and which views read it, and partners in foreign keys. The answer is their oids.
WITH RECURSIVE edge (a, b) AS (
    SELECT i.inhrelid, i.inhparent
      FROM pg_catalog.pg_inherits AS i
     UNION
    SELECT w.ev_class, d.refobjid
      FROM pg_catalog.pg_rewrite AS w
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid <> w.ev_class
     WHERE w.oid >= 16384
     UNION
    SELECT p.polrelid, d.refobjid
      FROM pg_catalog.pg_policy AS p
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
       AND d.refobjid <> p.polrelid
), near (oid) AS (
    SELECT unnest($1::oid[])
     UNION
    SELECT CASE WHEN e.a = n.oid THEN e.b ELSE e.a END
      FROM near AS n
      JOIN edge AS e ON n.oid IN (e.a, e.b)
), chosen AS (
    SELECT oid
      FROM near
     UNION
    SELECT CASE WHEN k.conrelid = ANY ($1::oid[]) THEN k.confrelid ELSE k.conrelid END
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f' AND (k.conrelid = ANY ($1::oid[]) OR k.confrelid = ANY ($1::oid[]))
), setting AS (
    SELECT set_config('pgmigrate.rls', jsonb_set(current_setting('pgmigrate.rls')::jsonb, '{only}',
                                                 (SELECT jsonb_agg(c.oid::text) FROM chosen AS c))::text, true) AS value
)
SELECT c.oid::text AS oid
  FROM chosen AS c
 CROSS JOIN setting
