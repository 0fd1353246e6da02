-- A function so cheap that it is asked first tells of other tenants' rows.
CREATE FUNCTION pg_temp.pgmigrate_leak(tenant text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS :'leak';
SELECT count(*) FROM :relation AS r WHERE pg_temp.pgmigrate_leak(:whose)
