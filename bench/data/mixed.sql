-- The mixed database: psql -v scale=1 -f mixed.sql makes some 200 tables, about 1 GB on disk, always the same. What an
-- application has: text, numbers, times, JSON, arrays, bytes, keys and indexes, partitions, large objects. Its text
-- compresses as the like does, to somewhat more than a quarter.
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
SET client_min_messages = warning;

-- Something random that is the same each time.
CREATE FUNCTION pg_temp.r(i bigint, n int) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT abs(hashint8extended($1, $2) % 1000000007)';
-- Phrases; not compressed, as it is looked into for each row.
CREATE TEMPORARY TABLE pool (a text[]);
ALTER TABLE pool ALTER a SET STORAGE PLAIN;
INSERT INTO pool
SELECT array_agg(phrase ORDER BY p) AS a
  FROM (SELECT p, string_agg(substr('lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor invidunt ut labore et magna aliquyam',
                                    1 + (pg_temp.r(p * 10 + w, 1) % 110)::int, 4 + (pg_temp.r(p * 10 + w, 2) % 7)::int), ' ' ORDER BY w) AS phrase
          FROM generate_series(1, 200) p, generate_series(1, 3) w GROUP BY p) phrases;

CREATE PROCEDURE pg_temp.fill(number int, name text, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
    CASE number % 5
    WHEN 0 THEN
        EXECUTE format('CREATE TABLE %s (id bigint, customer int, status text, total numeric(12, 2), note text, created timestamptz, attributes jsonb)', name);
        EXECUTE format($q$INSERT INTO %s SELECT i, pg_temp.r(i, 1) %% 100000, (ARRAY['new', 'paid', 'sent', 'returned'])[1 + pg_temp.r(i, 2) %% 4],
            (pg_temp.r(i, 3) %% 10000000) / 100.0, a[1 + pg_temp.r(i, 4) %% 200] || ' ' || a[1 + pg_temp.r(i, 5) %% 200] || to_hex(pg_temp.r(i, 10)), '2020-01-01 00:00Z'::timestamptz + i * interval '37.7 s',
            jsonb_build_object('color', (ARRAY['red', 'green', 'blue'])[1 + pg_temp.r(i, 6) %% 3], 'weight', pg_temp.r(i, 7) %% 5000, 'tags', jsonb_build_array('a', pg_temp.r(i, 8) %% 10), 'ref', left(md5(i::text), 20))
            FROM generate_series(1, %s) i, pool$q$, name, rows);
    WHEN 1 THEN
        EXECUTE format('CREATE TABLE %s (id bigint, session uuid, kind text, payload jsonb, at timestamp)', name);
        EXECUTE format($q$INSERT INTO %s SELECT i, md5((i / 2)::text)::uuid, (ARRAY['click', 'view', 'scroll', 'login', 'logout'])[1 + pg_temp.r(i, 1) %% 5],
            jsonb_build_object('path', '/shop/' || pg_temp.r(i, 2) %% 5000, 'ms', pg_temp.r(i, 3) %% 3000, 'text', a[1 + pg_temp.r(i, 4) %% 200] || to_hex(pg_temp.r(i, 5))), '2024-01-01'::timestamp + i * interval '1.3 s'
            FROM generate_series(1, %s) i, pool$q$, name, rows);
    WHEN 2 THEN
        EXECUTE format('CREATE TABLE %s (id bigint, title text, body text, tags text[], digest bytea)', name);
        EXECUTE format($q$INSERT INTO %s SELECT i, 'Document ' || i, a[1 + pg_temp.r(i, 1) %% 200] || to_hex(pg_temp.r(i, 8)) || '. ' || a[1 + pg_temp.r(i, 2) %% 200] || ', ' || to_hex(pg_temp.r(i, 9)) || a[1 + pg_temp.r(i, 3) %% 200] || repeat(E'.\n' || a[1 + pg_temp.r(i, 4) %% 200], (pg_temp.r(i, 5) %% 6)::int),
            ARRAY['tag' || pg_temp.r(i, 6) %% 50, 'tag' || pg_temp.r(i, 7) %% 50], decode(md5(i::text) || md5((-i)::text), 'hex')
            FROM generate_series(1, %s) i, pool$q$, name, rows);
    WHEN 3 THEN
        EXECUTE format('CREATE TABLE %s (id bigint, sensor int, at timestamptz, value float8, quality smallint)', name);
        EXECUTE format($q$INSERT INTO %s SELECT i, pg_temp.r(i, 1) %% 300, '2023-06-01 00:00Z'::timestamptz + i * interval '10 s', (pg_temp.r(i, 2) %% 100000) / 317.0, pg_temp.r(i, 3) %% 100
            FROM generate_series(1, %s) i$q$, name, rows);
    ELSE
        EXECUTE format('CREATE TABLE %s (id bigint, name text, email text, address text, born date, active boolean, score int, rank int GENERATED ALWAYS AS (score / 10) STORED)', name);
        EXECUTE format($q$INSERT INTO %s SELECT i, initcap(split_part(a[1 + pg_temp.r(i, 1) %% 200], ' ', 2)) || ' ' || i, left(md5(i::text), 8) || '@example' || pg_temp.r(i, 2) %% 90 || '.com', pg_temp.r(i, 3) %% 200 || ' ' || a[1 + pg_temp.r(i, 4) %% 200],
            '1950-01-01'::date + (pg_temp.r(i, 5) %% 20000)::int, pg_temp.r(i, 6) %% 9 > 0, pg_temp.r(i, 7) %% 1000
            FROM generate_series(1, %s) i, pool$q$, name, rows);
    END CASE;
    EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (id)', name);
END
$$;

SELECT format('CREATE SCHEMA %s', s) FROM unnest(ARRAY['sales', 'logs', 'content', 'crm']) s \gexec
-- From 600,000 rows down to some hundred, as in most databases.
SELECT format('CALL pg_temp.fill(%s, %L, %s)', n, (ARRAY['sales', 'logs', 'content', 'crm'])[1 + n % 4] || '.t' || lpad(n::text, 3, '0'),
              greatest(100, (:scale * 520000 / pow(n, 0.85))::bigint)) FROM generate_series(1, 184) n \gexec
SELECT format('CREATE INDEX ON %s (%s)', (ARRAY['sales', 'logs', 'content', 'crm'])[1 + n % 4] || '.t' || lpad(n::text, 3, '0'),
              (ARRAY['customer, created', 'kind, at', 'title', 'sensor, at', 'lower(email)'])[1 + n % 5]) FROM generate_series(1, 184) n \gexec
CREATE INDEX ON logs.t001 USING gin (payload jsonb_path_ops);
CREATE INDEX ON content.t002 USING gin (tags);
CREATE INDEX ON logs.t005 (total) WHERE status = 'returned';
SELECT format('ALTER TABLE %s ADD FOREIGN KEY (id) REFERENCES %s', (ARRAY['sales', 'logs', 'content', 'crm'])[1 + n % 4] || '.t' || lpad(n::text, 3, '0'),
              (ARRAY['sales', 'logs', 'content', 'crm'])[1 + (n - 4) % 4] || '.t' || lpad((n - 4)::text, 3, '0')) FROM generate_series(9, 184, 3) n \gexec

CREATE TABLE sales.readings (id bigint, at date NOT NULL, amount numeric, note text) PARTITION BY RANGE (at);
SELECT format('CREATE TABLE sales.readings_%s PARTITION OF sales.readings FOR VALUES FROM (%L) TO (%L)', m, '2024-01-01'::date + 30 * m, '2024-01-01'::date + 30 * (m + 1))
  FROM generate_series(0, 12) m \gexec
INSERT INTO sales.readings SELECT i, '2024-01-01'::date + (i % 390)::int, i / 7.0, a[1 + pg_temp.r(i, 1) % 200] FROM generate_series(1, (:scale * 400000)::bigint) i, pool;
ALTER TABLE sales.readings ADD PRIMARY KEY (id, at);
CREATE TABLE content.files (id int PRIMARY KEY, data bytea);
INSERT INTO content.files SELECT i, decode(string_agg(md5((i * 1000 + k)::text), ''), 'hex') FROM generate_series(1, (:scale * 300)::int) i, generate_series(1, 2000) k GROUP BY i;
SELECT lo_from_bytea(0, decode(string_agg(md5((i * 100000 + k)::text) || md5('x'), ''), 'hex')) FROM generate_series(1, ceil(:scale * 24)::int) i, generate_series(1, 30000) k GROUP BY i \g /dev/null
ALTER TABLE crm.t003 ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON crm.t003 USING (sensor > 0);
CREATE VIEW sales.totals AS SELECT status, sum(total) FROM logs.t005 GROUP BY 1;
CREATE MATERIALIZED VIEW sales.by_customer AS SELECT customer, count(*) FROM logs.t005 GROUP BY 1;
VACUUM (ANALYZE);
