-- The checks that this session has prepared.
EXECUTE pgmigrate_rls
