-- Roles are the whole server's: several tests at once make the same ones.
SET client_min_messages = warning;
CREATE PROCEDURE pg_temp.make_role(name text, options text DEFAULT '')
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE ROLE %I %s', name, options);
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
CALL pg_temp.make_role('fidelity_owner');
CALL pg_temp.make_role('fidelity_reader');
CALL pg_temp.make_role('fidelity_writer');
CALL pg_temp.make_role('Fidelity "Rolle" ü');
