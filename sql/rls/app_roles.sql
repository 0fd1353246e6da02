-- The application's roles that are there (name), and those the settings name that are not (missing).
WITH :scope
SELECT a.name::text AS name, false AS missing
  FROM app_role AS a
 UNION ALL
SELECT w.name, true
  FROM (SELECT replace(u.pattern, '\_', '_') AS name
          FROM pattern AS p
         CROSS JOIN unnest(p.roles) AS u(pattern)) AS w
 WHERE w.name NOT LIKE '%\%%'
   AND NOT EXISTS (SELECT FROM app_role AS a WHERE a.name = w.name)
 ORDER BY name
