-- A trigger that lets no row be deleted or updated, and tells of other tenants' rows that would have been. What it looks at,
-- it looks at as who made it.
CREATE FUNCTION pg_temp.pgmigrate_trap() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS :'trap';
CREATE TRIGGER " pgmigrate" BEFORE UPDATE OR DELETE ON :relation FOR EACH ROW EXECUTE FUNCTION pg_temp.pgmigrate_trap()
