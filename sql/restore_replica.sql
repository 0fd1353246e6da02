-- For this transaction, event triggers of the database see nothing but those that are always enabled. Superusers only.
SET LOCAL session_replication_role = replica
