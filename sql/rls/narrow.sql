-- Let the checks of this transaction look only at what changed, $1 (an array of oids, of functions negative), and at what their findings
-- depend on: parents and children, what a view reads and which views read it, partners in foreign keys, tables whose policies call a
-- function, or that the body of one with its owner's rights names. The answer is their oids and names. Where that is much, it is nothing, and the checks look at all.
WITH RECURSIVE changed AS (
    SELECT u.id, CASE WHEN u.id > 0 THEN u.id::oid END AS relation, CASE WHEN u.id < 0 THEN (-u.id)::oid END AS function
      FROM unnest($1::bigint[]) AS u(id)
), function AS (
    SELECT f.oid, f.prosecdef AS definer, f.prosrc AS body
      FROM changed AS c
      JOIN pg_catalog.pg_proc AS f ON f.oid = c.function
), edge (a, b) AS (
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
), first (oid) AS (
    SELECT c.relation
      FROM changed AS c
     WHERE c.relation IS NOT NULL
     UNION
    SELECT p.polrelid
      FROM function AS f
      JOIN pg_catalog.pg_depend AS d
        ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = f.oid AND d.classid = 'pg_catalog.pg_policy'::regclass
      JOIN pg_catalog.pg_policy AS p ON p.oid = d.objid
     UNION
    SELECT d.refobjid
      FROM function AS f
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
     WHERE f.definer
     UNION
    SELECT t.oid
      FROM function AS f
      JOIN pg_catalog.pg_class AS t
        ON strpos(f.body, t.relname::text) > 0
       AND f.body ~ format('(^|[^a-zA-Z0-9_])%s($|[^a-zA-Z0-9_])', regexp_replace(t.relname, '([^a-zA-Z0-9_])', '\\\1', 'g'))
     WHERE f.definer AND t.oid >= 16384 AND t.relkind IN ('r', 'p')
), near (oid) AS (
    SELECT oid
      FROM first
     UNION
    SELECT CASE WHEN e.a = n.oid THEN e.b ELSE e.a END
      FROM near AS n
      JOIN edge AS e ON n.oid IN (e.a, e.b)
), chosen (id, name) AS (
    SELECT n.oid::bigint, n.oid::regclass::text
      FROM near AS n
     UNION
    SELECT k.confrelid::bigint, k.confrelid::regclass::text
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f' AND k.conrelid IN (SELECT oid FROM first)
     UNION
    SELECT k.conrelid::bigint, k.conrelid::regclass::text
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f' AND k.confrelid IN (SELECT oid FROM first)
     UNION
    SELECT c.id, c.function::regprocedure::text
      FROM changed AS c
     WHERE c.function IS NOT NULL
), setting AS (
    SELECT set_config('pgmigrate.rls',
                      jsonb_set(current_setting('pgmigrate.rls')::jsonb, '{only}',
                                (SELECT COALESCE(jsonb_agg(c.id::text) FILTER (WHERE c.id > 0), '[]') FROM chosen AS c))::text, true),
           set_config('enable_nestloop', 'on', true)
     WHERE (SELECT count(*) FROM chosen) <= 50
)
SELECT c.id AS oid, c.name
  FROM chosen AS c
 CROSS JOIN setting
