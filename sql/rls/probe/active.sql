-- Whether row-level security does not concern the role here, as a number.
SELECT (NOT pg_catalog.row_security_active(:'relation'))::int
