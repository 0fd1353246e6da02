-- How many of the schema's scripts the file has had, and "ok" or the first thing that is wrong with it.
SELECT v.user_version AS version, c.quick_check AS health
  FROM pragma_user_version AS v, pragma_quick_check(1) AS c
