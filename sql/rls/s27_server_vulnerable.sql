-- S27, medium: the server's minor version has a known hole in row security. The data is, for each hole, the releases that mended it; a
-- major version without a minor never will be. Majors that are not listed were not affected. Sources: the release notes, the CVE records
-- (CVE-2026-14666: "before 18.6", as 18.5 was never released), and for CVE-2026-116311 the commits of 2026-11-09, which went into the
-- releases of 2026-11-12. Vendors may have mended theirs without a new number: accept it then.
WITH :scope, vulnerability (name, what, mended) AS (
    VALUES ('CVE-2023-2455', 'policies of another role after a function was inlined', '{13.11,14.8,15.3}'::text[]),
           ('CVE-2023-39418', 'MERGE does not apply UPDATE and SELECT policies', '{15.4}'),
           ('CVE-2024-10976', 'plans reused across roles below a subquery, WITH, or a view', '{13.17,14.14,15.9,16.5,17.1}'),
           ('CVE-2025-8713', 'statistics of partitions and children tell values of hidden rows', '{13.22,14.19,15.14,16.10,17.6}'),
           ('CVE-2026-14666', 'cached plans outlive a change of role membership', '{13,14.24,15.19,16.15,17.11,18.6}'),
           ('CVE-2026-116311', 'DROP OWNED takes oneself out of restrictive policies', '{14.25,15.20,16.16,17.12,18.7}'),
           ('CVE-2026-120154', 'ON CONFLICT runs leaky conditions on hidden rows', '{13,14.25,15.20,16.16,17.12,18.7}')
)
SELECT 'S27' AS "check", 'medium' AS severity, format('server: %s', v.name) AS object, NULL AS role,
       format('PostgreSQL %s.%s has this hole: %s', s.major, s.minor, v.what) AS message,
       CASE WHEN m.release LIKE '%.%' THEN format('Update to %s.', m.release)
            ELSE format('Nothing will mend PostgreSQL %s: go to a later major version.', s.major)
       END AS hint,
       NULL AS evidence, false AS inconclusive
  FROM vulnerability AS v
 CROSS JOIN unnest(v.mended) AS m (release)
  JOIN (SELECT current_setting('server_version_num')::int / 10000 AS major,
               current_setting('server_version_num')::int % 10000 AS minor) AS s
    ON s.major = split_part(m.release, '.', 1)::int
   AND s.minor < COALESCE(NULLIF(split_part(m.release, '.', 2), '')::int, 10000)
 ORDER BY v.name
