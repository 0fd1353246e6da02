-- P6, low: several permissive policies for the same role and command: each is computed for each row, joined by OR. Told once for a set.
WITH :scope, named AS (
    SELECT p.relation, p.table_object, p.name, p.roles, c.command
      FROM policy AS p
     CROSS JOIN LATERAL unnest(CASE WHEN p.command = '*' THEN ARRAY['r', 'a', 'w', 'd'] ELSE ARRAY[p.command::text] END) AS c(command)
     WHERE p.permissive
), crowd AS (
    SELECT n.table_object, n.command, array_agg(n.name ORDER BY n.name) AS names
      FROM named AS n
     GROUP BY n.relation, n.table_object, n.roles, n.command
    HAVING count(*) > 1
)
SELECT 'P6' AS "check", 'low' AS severity, c.table_object AS object, NULL AS role,
       format('%s permissive policies are computed for each row', cardinality(c.names)) AS message,
       'Write them as one policy, the cheapest part first.' AS hint,
       format('%s for %s', array_to_string(c.names, ', '),
              string_agg(CASE c.command WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' ELSE 'DELETE' END, ', '
                         ORDER BY c.command)) AS evidence,
       false AS inconclusive
  FROM crowd AS c
 GROUP BY c.table_object, c.names
 ORDER BY c.table_object
