-- The same for a table in which every column has a default.
INSERT INTO :relation AS r DEFAULT VALUES
RETURNING r.tableoid::text AS "pgmigrate table", r.ctid::text AS "pgmigrate place", :condition AS "pgmigrate mine", r.*
