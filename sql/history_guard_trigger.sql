-- Let the function of history_guard_log.sql see to it. Nothing comes back.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON :"schema".:"log"
    FOR EACH STATEMENT EXECUTE FUNCTION :"schema".:"guard"()
