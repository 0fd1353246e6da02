-- The session's name in pg_stat_activity.
SET application_name = :'name'
