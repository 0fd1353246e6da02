-- One row: whether the table named $1 (quoted) is there and has the last of the columns that only ours has.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attname = 'rollback_text' AND NOT a.attisdropped
) AS ours
