-- Refuse, to whoever may change the log, to do so by accident: lines are only added. Nothing comes back.
CREATE OR REPLACE FUNCTION :"schema".:"guard"() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    RAISE EXCEPTION 'lines are only added to the log "%.%", never changed or removed', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'If it must be: ALTER TABLE ... DISABLE TRIGGER append_only, and ENABLE it afterwards.';
END
$guard$
