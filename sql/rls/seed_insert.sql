-- Makes a row; answers it, where it is, and whether it is the tenant's.
INSERT INTO :relation AS r (:columns) VALUES (:values)
RETURNING r.tableoid::text AS "pgmigrate table", r.ctid::text AS "pgmigrate place", :condition AS "pgmigrate mine", r.*
