-- One giant table of ordinary text and numbers: psql -v scale=1 -f giant.sql makes about 1.5 GB on disk.
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
CREATE TABLE measurements (
    id bigint, device int, at timestamptz, value double precision, amount numeric(14, 4), status text, note text, serial uuid
);
INSERT INTO measurements
SELECT i, h % 5000, '2022-01-01 00:00Z'::timestamptz + i * interval '5.3 s', (h % 1000003) / 17.0, (h % 100000007) / 10000.0,
       (ARRAY['ok', 'late', 'missing', 'estimated', 'corrected'])[1 + h % 5],
       'reading of device ' || h % 5000 || ' in hall ' || h % 37 || ', checked by ' || (ARRAY['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Leslie'])[1 + h % 6],
       md5((i / 4)::text)::uuid
  FROM (SELECT i, abs(hashint8extended(i, 7) % 1000000007) AS h FROM generate_series(1, (:scale * 8000000)::bigint) i) numbers;
ALTER TABLE measurements ADD PRIMARY KEY (id);
VACUUM (ANALYZE) measurements;
