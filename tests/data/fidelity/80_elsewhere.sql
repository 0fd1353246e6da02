-- What points out of the database: nothing here may be reached for.
SET search_path = fidelity;
SELECT current_setting('server_version_num')::int >= 150000 AS v15,
       (SELECT count(*) = 9 FROM pg_available_extensions
         WHERE name IN ('hstore', 'citext', 'pg_trgm', 'btree_gist', 'ltree', 'postgres_fdw', 'file_fdw', 'intarray', 'lo')) AS contrib \gset
SET client_min_messages = error;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION "some" FOR TABLE hen, ONLY parent WITH (publish = 'insert, delete');
\if :v15
CREATE PUBLICATION filtered FOR TABLE parent (id, note) WHERE (id > 5);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA "a=b";
CREATE VIEW asker WITH (security_invoker) AS SELECT id FROM parent;
CREATE TABLE one_null (a int UNIQUE NULLS NOT DISTINCT);
CREATE UNLOGGED SEQUENCE unlogged_sequence;
\endif
CREATE SUBSCRIPTION following CONNECTION 'host=publisher.invalid dbname=shop password=secret' PUBLICATION p, "q r"
    WITH (connect = false, slot_name = 'a_slot', binary);
RESET client_min_messages;

CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'a''b');
CREATE SERVER "the server" TYPE 'x' VERSION '2' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'there.invalid');
CREATE USER MAPPING FOR fidelity_reader SERVER "the server" OPTIONS (password 'se''cret');
CREATE USER MAPPING FOR PUBLIC SERVER "the server";
CREATE FOREIGN TABLE far_away (a int OPTIONS (column_name 'b') NOT NULL, CHECK (a > 0)) SERVER "the server" OPTIONS ("table" 't');
GRANT USAGE ON FOREIGN SERVER "the server" TO fidelity_reader;

\if :contrib
CREATE SCHEMA extensions;
CREATE EXTENSION hstore SCHEMA extensions;
CREATE EXTENSION citext SCHEMA extensions;
CREATE EXTENSION pg_trgm SCHEMA extensions;
CREATE EXTENSION btree_gist SCHEMA extensions;
CREATE EXTENSION ltree SCHEMA extensions;
CREATE EXTENSION intarray;
CREATE EXTENSION lo;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw;
COMMENT ON EXTENSION hstore IS 'keys and values';
CREATE TABLE of_extensions (h extensions.hstore, c extensions.citext, l extensions.ltree, n int, o lo,
    EXCLUDE USING gist (n WITH =, c WITH =));
INSERT INTO of_extensions SELECT extensions.hstore('k' || i, NULLIF(E'v"\\' || i, E'v"\\3')), 'Text' || i, ('top.a' || i)::extensions.ltree, i, 910000 + i
  FROM generate_series(1, 30) i;
CREATE INDEX ON of_extensions USING gin ((c::text) extensions.gin_trgm_ops);
CREATE TRIGGER unlink BEFORE UPDATE OR DELETE ON of_extensions FOR EACH ROW EXECUTE FUNCTION lo_manage(o);
CREATE SERVER other_postgres FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'there.invalid', dbname 'shop');
CREATE USER MAPPING FOR fidelity_owner SERVER other_postgres OPTIONS (user 'u', password 'p\w');
CREATE FOREIGN TABLE far_orders (id int OPTIONS (column_name 'nr')) SERVER other_postgres OPTIONS (schema_name 's', table_name 'o');
\endif
