-- What is code, or defines how values behave.
SET search_path = fidelity;

CREATE FUNCTION secret_of(who text) RETURNS text SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE plpgsql
AS $f$ BEGIN RETURN $$it's $$ || who || E'\\'; END $f$;
CREATE PROCEDURE nothing(INOUT a int DEFAULT 1) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END';
CREATE FUNCTION many(VARIADIC a anyarray, OUT n int, OUT first anyelement) LANGUAGE sql PARALLEL SAFE STRICT COST 3
AS 'SELECT cardinality(a), a[1]';
CREATE FUNCTION rows_of(lower int) RETURNS TABLE (id bigint, t text) STABLE ROWS 7 LANGUAGE sql
AS 'SELECT id, t FROM fidelity.large WHERE id > lower';
CREATE AGGREGATE product(float8) (SFUNC = float8mul, STYPE = float8, INITCOND = 1);
CREATE AGGREGATE middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
    FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE FUNCTION same_place(place, place) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1.x = $2.x AND $1.y = $2.y';
CREATE OPERATOR ~=~ (LEFTARG = place, RIGHTARG = place, FUNCTION = same_place, COMMUTATOR = ~=~, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE FUNCTION place_of(text) RETURNS place IMMUTABLE LANGUAGE sql AS 'SELECT ROW(0, 0, $1)::fidelity.place';
CREATE CAST (text AS place) WITH FUNCTION place_of(text) AS ASSIGNMENT;
CREATE OPERATOR FAMILY odd_family USING btree;
CREATE OPERATOR CLASS int_backwards FOR TYPE int USING btree FAMILY odd_family AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int, int);
CREATE INDEX with_class ON changed_columns (d);
CREATE ACCESS METHOD gist_again TYPE INDEX HANDLER gisthandler;
CREATE CONVERSION latin1_to_utf8_again FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

CREATE FUNCTION int42_in(cstring) RETURNS int42 AS 'int4in' LANGUAGE internal STRICT IMMUTABLE;
CREATE FUNCTION int42_out(int42) RETURNS cstring AS 'int4out' LANGUAGE internal STRICT IMMUTABLE;
CREATE TYPE int42 (INTERNALLENGTH = 4, INPUT = int42_in, OUTPUT = int42_out, ALIGNMENT = int4, DEFAULT = '42', PASSEDBYVALUE);
CREATE TABLE of_int42 (a int42, b int42[]);
INSERT INTO of_int42 VALUES ('7', '{8,9}'), (DEFAULT, NULL);
CREATE TYPE unfinished;
CREATE TABLE of_type OF place (PRIMARY KEY (label));
INSERT INTO of_type VALUES (1.5, 'Infinity', 'far');

CREATE FUNCTION other_language_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE LANGUAGE other_language HANDLER other_language_handler;
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));

CREATE TEXT SEARCH DICTIONARY short_words (TEMPLATE = pg_catalog.simple, STOPWORDS = english, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION odd_config (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION odd_config ALTER MAPPING FOR asciiword WITH short_words, english_stem;
CREATE TEXT SEARCH PARSER parser_again (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE template_again (LEXIZE = dsimple_lexize);

CREATE COLLATION copy_of_c FROM "C";
SELECT count(*) > 0 AS have_icu FROM pg_collation WHERE collprovider = 'i' \gset
\if :have_icu
CREATE COLLATION case_blind (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE TABLE blind (t text COLLATE case_blind PRIMARY KEY, c text COLLATE copy_of_c);
INSERT INTO blind VALUES ('Anna', 'b'), ('bert', 'A');
CREATE INDEX ON blind (c COLLATE "POSIX");
\endif

CREATE VIEW names AS SELECT "Full Name" AS name, id FROM public."*" WITH LOCAL CHECK OPTION;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
CREATE VIEW behind WITH (security_barrier) AS SELECT * FROM names;
ALTER VIEW behind ALTER COLUMN id SET DEFAULT 9;
CREATE MATERIALIZED VIEW full_view AS SELECT c, count(*) AS n FROM by_enum GROUP BY c;
CREATE UNIQUE INDEX ON full_view (c);
CREATE MATERIALIZED VIEW second_view AS SELECT max(n) AS n FROM full_view;
CREATE MATERIALIZED VIEW unfilled_view AS SELECT id FROM large WITH NO DATA;
CREATE INDEX ON unfilled_view (id);

CREATE TABLE log (id serial, what text);
CREATE RULE on_view AS ON DELETE TO behind DO INSTEAD INSERT INTO log (what) VALUES ('deleted ' || old.name);
CREATE RULE no_update AS ON UPDATE TO empty_table DO ALSO NOTIFY changed;
ALTER TABLE empty_table DISABLE RULE no_update;
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fidelity.log (what) VALUES (TG_OP || ' ' || TG_TABLE_NAME || ' ' || array_to_string(TG_ARGV, ','));
    RETURN NULL;
END
$$;
-- A restore that fired these would leave more rows in the log.
CREATE TRIGGER logged AFTER INSERT OR UPDATE OF v ON in_order FOR EACH ROW WHEN (new.id < 10) EXECUTE FUNCTION log_row('a', E'b\\c''');
CREATE TRIGGER logged_always AFTER INSERT ON hen FOR EACH STATEMENT EXECUTE FUNCTION log_row();
ALTER TABLE hen ENABLE ALWAYS TRIGGER logged_always;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON egg DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_row();
ALTER TABLE egg DISABLE TRIGGER later;
CREATE TRIGGER in_partition AFTER DELETE ON by_hash FOR EACH ROW EXECUTE FUNCTION log_row();
ALTER TABLE by_hash_1 DISABLE TRIGGER in_partition;
CREATE TRIGGER with_tables AFTER INSERT ON large REFERENCING NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION log_row();
INSERT INTO log (what) VALUES ('first');

CREATE FUNCTION log_command() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO fidelity.log (what) VALUES ('command ' || TG_TAG);
END
$$;
