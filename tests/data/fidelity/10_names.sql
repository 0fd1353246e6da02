-- Names that a shell, a pattern, a list or a tar might take for something else.
CREATE SCHEMA "Odd ""Schema"" *.?";
CREATE SCHEMA "a=b";
CREATE SCHEMA "ünïcødé 表";
CREATE SCHEMA fidelity AUTHORIZATION fidelity_owner;

CREATE PROCEDURE pg_temp.odd_table(schema text, name text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I.%I (id int PRIMARY KEY, "Full Name" text, "a,b" text, "new
line" int, "per%%cent \ $1" text)', schema, name);
    EXECUTE format('INSERT INTO %I.%I SELECT i, %L || i, E''\\t'' || i, i * 2, NULLIF(i %% 3, 0)::text'
                   ' FROM generate_series(1, 40) i', schema, name, name);
END
$$;
SELECT format('CALL pg_temp.odd_table(%L, %L)', schema, name)
  FROM unnest(ARRAY['Odd "Schema" *.?', 'a=b', 'ünïcødé 表', 'public']) schema,
       unnest(ARRAY['plain', 'Mixed Case', 'quo"te', 'quo''te', E'new\nline', E'tab\tand\rreturn', 'back\slash', '*', 'a.b',
                    '$(touch pwned)', '`touch pwned`', ';DROP TABLE plain;--', '-e', '--help', '%s%n', '../up', 'select',
                    '$1', '~', '\.', ' leading and trailing ', '表 ü 🐘', repeat('long_', 12) || 'abc', ':"database"',
                    ':name', '''; SELECT 1; --', '#', '?[a-z]', '|| true', '/* comment', E'\u2028']) name \gexec

CREATE TABLE "a=b"."postgresql://host/db" ("column" int, "SELECT" int GENERATED ALWAYS AS ("column" + 1) STORED);
INSERT INTO "a=b"."postgresql://host/db" VALUES (1), (NULL);
COMMENT ON TABLE public."new
line" IS E'line one\nline two; -- \\\\ ''quoted'' "too" \\restrict';
COMMENT ON COLUMN public."new
line"."new
line" IS '';
CREATE INDEX "index "" of *" ON public."*" ("Full Name");
CREATE SEQUENCE "a=b"."s e q""" START 7;
