-- Values that come back different when a session's settings are not those they were written with.
SET search_path = fidelity;
SET datestyle = ISO;
SET intervalstyle = postgres;

CREATE TYPE mood AS ENUM ('sad', 'o"k', 'hap,py', '');
ALTER TYPE mood ADD VALUE 'be''tween' BEFORE 'hap,py';
CREATE TYPE place AS (x float8, y float8, label text);
CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN positive AS numeric(12, 2) NOT NULL DEFAULT 1 CONSTRAINT "more than zero" CHECK (VALUE > 0);
CREATE DOMAIN email AS text COLLATE "C" CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE DOMAIN emails AS email[];
COMMENT ON TYPE mood IS 'how it is';
COMMENT ON CONSTRAINT "more than zero" ON DOMAIN positive IS 'else nothing works';

CREATE TABLE value_of_each_type (
    id int PRIMARY KEY,
    b boolean, i2 smallint, i4 integer, i8 bigint, n numeric, np numeric(30, 10), f4 real, f8 float8, m money,
    t text, v varchar(20), c char(8), nm name, by bytea, ch "char",
    d date, ti time, tz timetz, ts timestamp, tsz timestamptz, tsz3 timestamptz(3), iv interval,
    u uuid, j json, jb jsonb, jp jsonpath, x xml,
    ip inet, net cidr, mac macaddr, mac8 macaddr8, bi bit(5), vb bit varying(20),
    pt point, ln line, ls lseg, bx box, pa path, po polygon, ci circle,
    tv tsvector, tq tsquery, r4 int4range, rn numrange, rd daterange, rt tstzrange, rm text, fr float_range,
    ai int[], at text[], aa int[][], ab bytea[], ap place[], at2 timestamptz[],
    e mood, ae mood[], p place, dm positive, ml emails, rc regclass, rp regproc, ro regrole, rty regtype, oi oid, xi xid,
    lsn pg_lsn
);
INSERT INTO value_of_each_type (id, dm) VALUES (0, 1);
INSERT INTO value_of_each_type VALUES
(1, true, -32768, -2147483648, -9223372036854775808, 'NaN', 12345678901234567890.0123456789, '-Infinity', 'NaN', -1234.56,
 '', '', '', '', '', '', '-infinity', '00:00', '24:00:00-15:59', 'infinity', '-infinity', '0044-03-15 12:00:00+00 BC',
 '-178000000 years -11 mons +3 days -04:05:06.789',
 '00000000-0000-0000-0000-000000000000', '{"b": 1,  "a":2, "b":3}', '{"n": 1e400, "z": "\\\" \n \u00fc"}', '$.a[*] ? (@ > 1)',
 '<a>&amp; text</a> and more', '0.0.0.0/0', '::/0', '00:00:00:00:00:00', '08:00:2b:01:02:03:04:05', B'10101', B'',
 '(NaN,Infinity)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),1>',
 '''it''''s'':1A ''\\b'':2', '''a b'' & !c | d:*A', 'empty', '(,1e100]', '[-infinity,infinity)', '["2024-02-03 04:05:06+00",)',
 NULL, '[1e-300,0.1)',
 '{}', '{"","NULL",NULL,"a\"b","c\\d","{","e,f"}', '[-1:0][5:6]={{1,2},{3,NULL}}', '{"\\x00ff",""}', ARRAY['(0.1,-0,"a,""b)")'::place],
 '{infinity,"2024-02-03 04:05:06.000001+00"}',
 '', '{"","hap,py","o\"k"}', '(1,,"")', 0.01, '{a@b,"c\"@d"}', 'value_of_each_type', 'pg_catalog.now', 'fidelity_owner', 'mood',
 4294967295, '4294967295', 'FFFFFFFF/FFFFFFFF'),
(2, false, 32767, 2147483647, 9223372036854775807, 1e1000, 0, 1.17549e-38, 0.1::float8 + 0.2, 92233720368547758.07,
 E'tab\tnewline\nreturn\rbackslash\\ dot\\.\bfeed\f\vend', E'\\N', '  pad   ', 'x', '\x005c2e0a0d09ff', E'\001',
 'infinity', '23:59:59.999999', '00:00:00+15:59', '2024-02-03 04:05:06.123456', '2024-02-03 04:05:06+00',
 '2024-02-03 04:05:06.9996+00', '1 year -2 mons 3 days -04:05:06',
 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', 'null', 'strict $', NULL, '::1', '10.0.0.0/8', 'ff:ff:ff:ff:ff:ff', NULL,
 B'00000', B'11111111111111111111', '(-0,0)', NULL, NULL, NULL, '((0,0))', NULL, NULL, '', '', '[1,10)', '[NaN,NaN]', '(,)', NULL,
 NULL, 'empty', '{NULL}', '{}', '{{1}}', NULL, '{}', NULL, 'sad', '{}', '(,,)', 1.00, '{}', 'pg_class', '-', NULL, 'int4[]', 0, '0',
 '0/0');
INSERT INTO value_of_each_type (id, f8, f4, tsz, iv, dm, by)
SELECT 10 + i, sqrt(i) * pow(10, i % 600 - 300), (1.0 / i)::real, to_timestamp(i * 86400.123456),
       make_interval(0, i, 0, -i, 0, 0, i / 7.0), i, decode(lpad(to_hex(i), 8, '0'), 'hex')
  FROM generate_series(1, 2000) i;

-- Every character that COPY's text format writes in a way of its own, alone, doubled, and before "N" and ".".
CREATE TABLE odd_text (id int, t text, u text);
INSERT INTO odd_text SELECT i, chr(i) || 'N' || chr(i) || '.' || chr(i), chr(i) FROM generate_series(1, 300) i;
INSERT INTO odd_text VALUES (1001, '\.', NULL), (1002, E'\n\\.\n', ''), (1003, '\N', '\\N'), (1004, E'\r\n', E'\r'),
    (1005, NULL, NULL), (1006, '', ''), (1007, repeat(E'\\.\n', 1000), repeat(E'\t', 1000));

CREATE TABLE one_text (t text);
INSERT INTO one_text VALUES ('\.'), (''), (NULL), (E'\\'), ('.');
