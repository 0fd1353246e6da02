-- Where such rows are, as SQL for those who cannot see whose they are: a condition on a row "r"; and how many those are.
SELECT COALESCE('(r.tableoid, r.ctid) IN (' || string_agg(format('(%s, %L)', p.tableoid, p.ctid), ', ') || ')', 'false')
       AS condition, count(*) AS count
  FROM (SELECT r.tableoid, r.ctid FROM :relation AS r WHERE :condition LIMIT 1000) AS p
