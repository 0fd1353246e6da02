-- An error, unless row-level security does not concern the role.
SET LOCAL row_security TO off; SELECT count(*) FROM :relation AS r WHERE :foreign
