-- The restore is complete. Event triggers of the restored database should not see this: where the role may say so, only
-- those that are always enabled do.
SET LOCAL session_replication_role = :replication;
DROP SCHEMA pgmigrate_restore CASCADE
