-- S22: functions that policies call. high: IMMUTABLE, and yet it reads the session, itself or in a function whose name is in its body: a
-- plan made for one tenant serves another. low:
-- VOLATILE, so that it runs for every row and no index helps; or LEAKPROOF by declaration, which nobody checks.
WITH RECURSIVE :scope, function AS (
    SELECT DISTINCT f.oid, f.oid::regprocedure::text AS signature, f.provolatile AS volatile, f.proleakproof AS leakproof,
           f.prosrc || COALESCE(to_jsonb(f) ->> 'prosqlbody', '') AS body, p.object AS policy
      FROM policy AS p
      JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass
      JOIN pg_catalog.pg_proc AS f ON f.oid = d.refobjid
     WHERE f.pronamespace <> 'pg_catalog'::regnamespace
), called (first, oid, body, depth) AS (
    SELECT f.oid, f.oid, f.body, 0
      FROM function AS f
     WHERE f.volatile = 'i'
     UNION
    SELECT c.first, g.oid, g.prosrc || COALESCE(to_jsonb(g) ->> 'prosqlbody', ''), c.depth + 1
      FROM called AS c
      JOIN pg_catalog.pg_proc AS g
        ON strpos(c.body, g.proname::text) > 0 AND c.body ~* format('\m%s\M', regexp_replace(g.proname, '([^a-zA-Z0-9_])', '\\\1', 'g'))
     WHERE g.oid >= 16384 AND g.oid <> c.oid AND c.depth < 4
), judged AS (
    SELECT f.signature, f.policy, 'high' AS severity, 'is IMMUTABLE, but reads the session: a plan made for one tenant serves another' AS message,
           'STABLE' AS wanted
      FROM function AS f
     WHERE EXISTS (SELECT
                     FROM called AS c
                    WHERE c.first = f.oid AND c.body ~* '\m(current_setting|current_user|session_user|current_role|user)\M')
     UNION ALL
    SELECT f.signature, f.policy, 'low', 'is VOLATILE: it runs for every row, and no index helps', 'STABLE'
      FROM function AS f
     WHERE f.volatile = 'v'
     UNION ALL
    SELECT f.signature, f.policy, 'low', 'is declared LEAKPROOF, which nobody checks: it may see rows before the policy does', 'NOT LEAKPROOF'
      FROM function AS f
     WHERE f.leakproof
)
SELECT 'S22' AS "check", j.severity, format('function %s', j.signature) AS object, NULL AS role, j.message,
       format('ALTER FUNCTION %s %s;', j.signature, j.wanted) AS hint,
       format('called by %s', string_agg(DISTINCT j.policy, ', ' ORDER BY j.policy)) AS evidence, false AS inconclusive
  FROM judged AS j
 GROUP BY j.signature, j.severity, j.message, j.wanted
 ORDER BY object, j.severity
