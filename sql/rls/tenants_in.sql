-- Two tenants that have rows in the table, or fewer.
WITH one AS (
    SELECT r.:"column" AS tenant
      FROM :relation AS r
     WHERE r.:"column" IS NOT NULL
     ORDER BY 1
     LIMIT 1
)
SELECT tenant::text AS tenant FROM one
UNION ALL
(SELECT r.:"column"::text FROM :relation AS r WHERE r.:"column" > (SELECT tenant FROM one) ORDER BY r.:"column" LIMIT 1)
