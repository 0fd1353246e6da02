-- The restore is complete.
DROP SCHEMA pgmigrate_restore CASCADE
