-- How the server would read a table: one row, JSON.
EXPLAIN (FORMAT JSON, COSTS OFF) SELECT * FROM :table
