-- The last: from here on the database itself is hostile.
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA', 'GRANT', 'CREATE INDEX')
    EXECUTE FUNCTION fidelity.log_command();
CREATE EVENT TRIGGER watch_drops ON sql_drop EXECUTE FUNCTION fidelity.log_command();
CREATE EVENT TRIGGER resting ON ddl_command_start EXECUTE FUNCTION fidelity.log_command();
ALTER EVENT TRIGGER resting DISABLE;

SELECT current_database() AS database \gset
COMMENT ON DATABASE :"database" IS 'it''s "the" database';
GRANT CREATE, TEMPORARY ON DATABASE :"database" TO "Fidelity ""Rolle"" ü" WITH GRANT OPTION;
REVOKE TEMPORARY, CONNECT ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO fidelity_reader;
ALTER DATABASE :"database" OWNER TO fidelity_owner;
ALTER DATABASE :"database" CONNECTION LIMIT 77;
ALTER DATABASE :"database" SET search_path = "Odd ""Schema"" *.?", public, "$user";
ALTER DATABASE :"database" SET datestyle = 'SQL, DMY';
ALTER DATABASE :"database" SET intervalstyle = sql_standard;
ALTER DATABASE :"database" SET extra_float_digits = -5;
ALTER DATABASE :"database" SET timezone = 'Asia/Kathmandu';
ALTER DATABASE :"database" SET bytea_output = escape;
ALTER DATABASE :"database" SET array_nulls = off;
ALTER DATABASE :"database" SET xmloption = document;
ALTER DATABASE :"database" SET standard_conforming_strings = off;
ALTER DATABASE :"database" SET escape_string_warning = off;
ALTER DATABASE :"database" SET client_encoding = LATIN1;
ALTER DATABASE :"database" SET default_transaction_isolation = serializable;
ALTER DATABASE :"database" SET default_transaction_read_only = on;
ALTER DATABASE :"database" SET statement_timeout = '20s';
ALTER DATABASE :"database" SET app.tenant = E'a ''b'', "c"\\ü';
ALTER ROLE fidelity_reader IN DATABASE :"database" SET search_path = fidelity, "a=b";
ALTER ROLE fidelity_owner IN DATABASE :"database" SET row_security = on;
ALTER ROLE fidelity_owner IN DATABASE :"database" SET lock_timeout = 5;
