-- S27, medium: the server's minor version has a known hole in row security. The data is a row for each major version and the minor that
-- mended it (release notes; major versions that are not listed were not affected or are not known). Vendors may have mended theirs
-- without a new number: accept it then.
WITH :scope, vulnerability (name, major, mended, what) AS (
    VALUES ('CVE-2023-2455', 13, 11, 'policies of another role after a function was inlined'),
           ('CVE-2023-2455', 14, 8, 'policies of another role after a function was inlined'),
           ('CVE-2023-2455', 15, 3, 'policies of another role after a function was inlined'),
           ('CVE-2023-39418', 15, 4, 'MERGE does not apply UPDATE and SELECT policies'),
           ('CVE-2024-10976', 13, 17, 'plans reused across roles below a subquery, WITH, or a view'),
           ('CVE-2024-10976', 14, 14, 'plans reused across roles below a subquery, WITH, or a view'),
           ('CVE-2024-10976', 15, 9, 'plans reused across roles below a subquery, WITH, or a view'),
           ('CVE-2024-10976', 16, 5, 'plans reused across roles below a subquery, WITH, or a view'),
           ('CVE-2024-10976', 17, 1, 'plans reused across roles below a subquery, WITH, or a view'),
           ('CVE-2025-8713', 13, 22, 'statistics of partitions and children tell values of hidden rows'),
           ('CVE-2025-8713', 14, 19, 'statistics of partitions and children tell values of hidden rows'),
           ('CVE-2025-8713', 15, 14, 'statistics of partitions and children tell values of hidden rows'),
           ('CVE-2025-8713', 16, 10, 'statistics of partitions and children tell values of hidden rows'),
           ('CVE-2025-8713', 17, 6, 'statistics of partitions and children tell values of hidden rows'),
           ('CVE-2026-14666', 15, 19, 'cached plans outlive a change of role membership'),
           ('CVE-2026-116311', 15, 20, 'DROP OWNED takes oneself out of restrictive policies'),
           ('CVE-2026-120154', 15, 20, 'ON CONFLICT runs leaky conditions on hidden rows')
)
SELECT 'S27' AS "check", 'medium' AS severity, format('server: %s', v.name) AS object, NULL AS role,
       format('PostgreSQL %s.%s has this hole: %s', s.major, s.minor, v.what) AS message,
       format('Update to %s.%s.', v.major, v.mended) AS hint, NULL AS evidence, false AS inconclusive
  FROM vulnerability AS v
  JOIN (SELECT current_setting('server_version_num')::int / 10000 AS major,
               current_setting('server_version_num')::int % 10000 AS minor) AS s
    ON s.major = v.major AND s.minor < v.mended
 ORDER BY v.name
