-- The columns of the table $1 that an INSERT may give a value, and what may be tried, as SQL, the likeliest first: DEFAULT
-- where it has one or may be NULL; else what its type, its CHECK constraints and its domain's suggest. "varies" is a column
-- of a unique index without a default; "constraints" are the names, in lines, of those that look at it.
WITH RECURSIVE chain AS (
    SELECT a.attnum AS number, a.atttypid AS type, a.atttypmod AS modifier, t.typnotnull AS required
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
     WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT c.number, t.typbasetype, t.typtypmod, b.typnotnull OR c.required
      FROM chain AS c
      JOIN pg_catalog.pg_type AS t ON t.oid = c.type AND t.typtype = 'd'
      JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
), named AS (
    SELECT c.number, array_agg(k.conname::text) AS constraints
      FROM chain AS c
      JOIN pg_catalog.pg_constraint AS k ON k.contype = 'c'
       AND (k.conrelid = $1::pg_catalog.oid AND k.conkey @> ARRAY[c.number] OR k.contypid = c.type)
     GROUP BY c.number
), base AS (
    SELECT c.number, bool_or(c.required) OVER (PARTITION BY c.number) AS required, t.oid AS type, t.typtype, t.typcategory,
           t.typname, c.modifier,
           (SELECT string_agg(pg_catalog.pg_get_constraintdef(k.oid), ' ')
              FROM pg_catalog.pg_constraint AS k
             WHERE k.contype = 'c'
               AND (k.conrelid = $1::pg_catalog.oid AND k.conkey @> ARRAY[c.number]
                    OR k.contypid IN (SELECT d.type FROM chain AS d WHERE d.number = c.number))) AS checks
      FROM chain AS c
      JOIN pg_catalog.pg_type AS t ON t.oid = c.type
), wanted AS (
    SELECT b.*, a.attname AS name, a.atthasdef AS defaulted, a.attnotnull OR b.required AS not_null,
           b.typcategory = 'S' AS is_text,
           CASE WHEN b.modifier > 4 AND b.typname IN ('varchar', 'bpchar') THEN b.modifier - 4 ELSE 30 END AS width,
           EXISTS (SELECT
                     FROM pg_catalog.pg_index AS i
                    WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS is_unique
      FROM base AS b
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1::pg_catalog.oid AND a.attnum = b.number
     WHERE b.typtype <> 'd' AND a.attgenerated = '' AND a.attidentity = ''
), literal AS (
    SELECT w.number, m.place, m.word[1] AS word
      FROM wanted AS w
     CROSS JOIN LATERAL regexp_matches(w.checks, '(''(?:[^'']|'''')*''|\m\d{1,9}(?:\.\d+)?\M)', 'g')
                        WITH ORDINALITY AS m (word, place)
), candidate AS (
    SELECT w.number, 0 AS rank, 0::numeric AS place, 'DEFAULT' AS value
      FROM wanted AS w
     WHERE w.defaulted OR NOT w.not_null
    UNION ALL
    SELECT w.number, 1, 0, v.value
      FROM wanted AS w
     CROSS JOIN LATERAL (VALUES
        (CASE WHEN w.typname = 'uuid' THEN 'pg_catalog.gen_random_uuid()'
              WHEN w.typcategory = 'N'
              THEN format('COALESCE((SELECT pg_catalog.max(s.%I) FROM %s AS s), 0) + 1', w.name, $2::text)
              WHEN w.is_text THEN format('pg_catalog."left"(pg_catalog.md5(pg_catalog.random()::text), %s)', w.width)
              WHEN w.typcategory = 'D' THEN 'pg_catalog.now() + pg_catalog.random() * interval ''900 days'''
         END)) AS v (value)
     WHERE w.is_unique AND NOT w.defaulted
    UNION ALL
    -- Before that: a number that others made meanwhile do not take.
    SELECT w.number, 1, -1, format('COALESCE((SELECT pg_catalog.max(s.%I) FROM %s AS s), 0) + 1
                                    + pg_catalog.trunc(pg_catalog.random() * 1000000)', w.name, $2::text)
      FROM wanted AS w
     WHERE w.is_unique AND NOT w.defaulted AND w.typcategory = 'N'
    UNION ALL
    -- What the constraints name, and for a number in them its neighbours, or a text of that length.
    SELECT l.number, 2, l.place + u.step, u.value
      FROM literal AS l
      JOIN wanted AS w ON w.number = l.number
     CROSS JOIN LATERAL (VALUES
        (0.1, CASE WHEN l.word LIKE '''%' OR NOT w.is_text THEN l.word
                   ELSE format('pg_catalog.repeat(''x'', %s)', least(trunc(l.word::numeric), 1000)) END),
        (0.2, CASE WHEN l.word NOT LIKE '''%' AND w.typcategory = 'N' THEN l.word || ' + 1' END),
        (0.3, CASE WHEN l.word NOT LIKE '''%' AND w.typcategory = 'N' THEN l.word || ' - 1' END)) AS u (step, value)
     WHERE CASE w.typcategory WHEN 'N' THEN l.word NOT LIKE '''%' WHEN 'S' THEN true ELSE l.word LIKE '''%' END
    UNION ALL
    SELECT w.number, 3, e.enumsortorder::numeric, quote_literal(e.enumlabel)
      FROM wanted AS w
      JOIN pg_catalog.pg_enum AS e ON e.enumtypid = w.type
    UNION ALL
    SELECT w.number, 4, v.place, v.value
      FROM wanted AS w
     CROSS JOIN LATERAL unnest(CASE
        WHEN w.typname = 'uuid' THEN ARRAY['pg_catalog.gen_random_uuid()']
        WHEN w.typname IN ('json', 'jsonb') THEN ARRAY['''{}''', '''[]''']
        WHEN w.typname = 'xml' THEN ARRAY['''<x/>''']
        WHEN w.typname = 'circle' THEN ARRAY['''<(0,0),1>''']
        WHEN w.typname = 'bit' THEN ARRAY[format('%L', repeat('0', greatest(w.modifier, 1)))]
        WHEN w.typcategory = 'N' THEN ARRAY['1', '0', '100', '-1']
        WHEN w.typcategory = 'B' THEN ARRAY['true', 'false']
        WHEN w.typcategory = 'D' THEN ARRAY['pg_catalog.now()', 'pg_catalog.now() + interval ''1 day''',
                                            'pg_catalog.now() - interval ''1 day''']
        WHEN w.typcategory = 'T' THEN ARRAY['''1 hour''', '''1 day''']
        WHEN w.typcategory = 'A' THEN ARRAY['''{}''']
        WHEN w.typcategory = 'R' THEN ARRAY['''empty''', '''{}''']
        WHEN w.typcategory = 'I' THEN ARRAY['''127.0.0.1''', '''10.0.0.0/8''']
        WHEN w.typcategory = 'G' THEN ARRAY['''(0,0)''', '''((0,0),(1,1))''', '''{1,1,1}''']
        WHEN w.typcategory = 'V' THEN ARRAY['''0''']
        WHEN w.is_text THEN ARRAY[format('%L', pg_catalog."left"('pgmigrate', w.width)), '''A''', '''a@example.com''',
                                  '''https://example.com/''', '''+15550100''', '''00000''', '''''']
        WHEN w.typtype = 'e' THEN ARRAY[]::text[]
        ELSE ARRAY['''''', '''0''', '''\x00''', '''0/0'''] END) WITH ORDINALITY AS v (value, place)
     -- A column that may be left out, without any CHECK, is left out.
     WHERE (w.not_null AND NOT w.defaulted) OR w.checks IS NOT NULL
)
SELECT w.name, pg_catalog.array_to_string(n.constraints, chr(10)) AS constraints, w.is_unique AND NOT w.defaulted AS varies, w.checks IS NOT NULL AS checked, c.value
  FROM wanted AS w
  JOIN candidate AS c ON c.number = w.number
  LEFT JOIN named AS n ON n.number = w.number
 WHERE c.value IS NOT NULL
   AND (c.rank IN (0, 1) OR (w.not_null AND NOT w.defaulted) OR w.checks IS NOT NULL)
 ORDER BY w.number, c.rank, c.place
