-- How many rows there are of one tenant, of the other, of all but the first, and in all.
SELECT count(*) FILTER (WHERE :mine) AS mine, count(*) FILTER (WHERE :theirs) AS theirs,
       count(*) FILTER (WHERE :foreign) AS foreign, count(*) AS "all"
  FROM :relation AS r
