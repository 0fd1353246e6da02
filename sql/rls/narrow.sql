-- Let the checks of this transaction look only at what changed, $1 (an array of oids, of functions negative), and at what their findings
-- depend on; $2 are the application's roles. The answer is oids and names; told is true where everything is said of one: of what changed, tables whose policies call a
-- changed function or that the body of one with its owner's rights names, and whatever reads these: children, views, policies. Others
-- are there for them: what they read, and partners in foreign keys. Where that is much, the answer is nothing, and the checks look at all.
-- The limits tell the server so: it would make room for millions.
WITH RECURSIVE changed AS (
    SELECT u.id, CASE WHEN u.id > 0 THEN u.id::oid END AS relation, CASE WHEN u.id < 0 THEN (-u.id)::oid END AS function
      FROM unnest($1::bigint[]) AS u(id)
), function AS (
    SELECT f.oid, f.prosecdef AS definer, f.prosrc AS body
      FROM changed AS c
      JOIN pg_catalog.pg_proc AS f ON f.oid = c.function
), called (first, oid, body, depth) AS (
    -- What IMMUTABLE functions of policies call, by the names in their bodies (see S22).
    SELECT f.oid, f.oid, f.prosrc, 0
      FROM pg_catalog.pg_proc AS f
     WHERE EXISTS (SELECT FROM function)
       AND f.provolatile = 'i'
       AND f.oid IN (SELECT d.refobjid
                       FROM pg_catalog.pg_depend AS d
                      WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.refclassid = 'pg_catalog.pg_proc'::regclass
                        AND d.refobjid >= 16384)
     UNION
    SELECT c.first, g.oid, g.prosrc, c.depth + 1
      FROM called AS c
      JOIN pg_catalog.pg_proc AS g ON strpos(lower(c.body), lower(g.proname)) > 0
     WHERE g.oid >= 16384 AND g.oid <> c.oid AND c.depth < 4
), touched (oid) AS (
    -- The functions of policies that a change of one may concern.
    SELECT f.oid FROM function AS f
     UNION
    SELECT c.first FROM called AS c WHERE c.oid IN (SELECT oid FROM function)
), reader (oid) AS (
    (SELECT c.relation
       FROM changed AS c
      WHERE c.relation IS NOT NULL
      UNION
     SELECT p.polrelid
       FROM touched AS f
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
      CROSS JOIN LATERAL regexp_split_to_table(f.body, '[^a-zA-Z0-9_]+') AS s(word)
      CROSS JOIN LATERAL (VALUES (s.word), (lower(s.word))) AS w(word)
       JOIN pg_catalog.pg_class AS t ON t.relname = w.word::name
      WHERE f.definer AND t.oid >= 16384 AND t.relkind IN ('r', 'p')
      UNION
     SELECT t.oid
       FROM function AS f
       JOIN pg_catalog.pg_class AS t ON t.relname::text ~ '[^a-zA-Z0-9_]' AND strpos(f.body, t.relname::text) > 0
      WHERE f.definer AND t.oid >= 16384 AND t.relkind IN ('r', 'p')
      LIMIT 51)
     UNION
    SELECT r.oid
      FROM reader AS t
     CROSS JOIN LATERAL (SELECT i.inhrelid AS oid
                           FROM pg_catalog.pg_inherits AS i
                          WHERE i.inhparent = t.oid
                          UNION ALL
                         SELECT COALESCE(w.ev_class, p.polrelid)
                           FROM pg_catalog.pg_depend AS d
                           LEFT JOIN pg_catalog.pg_rewrite AS w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
                           LEFT JOIN pg_catalog.pg_policy AS p ON d.classid = 'pg_catalog.pg_policy'::regclass AND p.oid = d.objid
                          WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid
                            AND d.classid IN ('pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_policy'::regclass)) AS r
     WHERE r.oid IS NOT NULL
), told (oid) AS (
    SELECT oid FROM reader LIMIT 51
), read (oid) AS (
    SELECT oid
      FROM told
     UNION
    SELECT r.oid
      FROM read AS a
     CROSS JOIN LATERAL (SELECT i.inhparent AS oid
                           FROM pg_catalog.pg_inherits AS i
                          WHERE i.inhrelid = a.oid
                          UNION ALL
                         SELECT d.refobjid
                           FROM pg_catalog.pg_rewrite AS w
                           JOIN pg_catalog.pg_depend AS d
                             ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
                            AND d.refclassid = 'pg_catalog.pg_class'::regclass
                          WHERE w.ev_class = a.oid
                          UNION ALL
                         SELECT d.refobjid
                           FROM pg_catalog.pg_policy AS p
                           JOIN pg_catalog.pg_depend AS d
                             ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
                            AND d.refclassid = 'pg_catalog.pg_class'::regclass
                          WHERE p.polrelid = a.oid) AS r
), partner (oid) AS (
    SELECT k.confrelid
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f' AND k.conrelid IN (SELECT oid FROM told)
     UNION
    SELECT k.conrelid
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f' AND k.confrelid IN (SELECT oid FROM told)
), chosen (id, name, told) AS (
    SELECT r.oid::bigint, r.oid::regclass::text, r.oid IN (SELECT oid FROM told)
      FROM (SELECT oid FROM read UNION SELECT oid FROM partner) AS r
     UNION ALL
    SELECT c.id, c.function::regprocedure::text, true
      FROM changed AS c
     WHERE c.function IS NOT NULL
), setting AS (
    SELECT set_config('pgmigrate.rls',
                      jsonb_set(jsonb_set(current_setting('pgmigrate.rls')::jsonb, '{app_roles}', $2::jsonb), '{only}',
                                (SELECT COALESCE(jsonb_agg(c.id::text) FILTER (WHERE c.id > 0), '[]') FROM chosen AS c))::text, true)
     WHERE (SELECT count(*) FROM chosen) <= 50
)
SELECT c.id AS oid, c.name, c.told
  FROM chosen AS c
 CROSS JOIN setting
