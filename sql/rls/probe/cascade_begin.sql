-- Another tenant's row refers to a row of one's own; an error where it cannot.
UPDATE :relation AS r SET (:columns) = ROW (:keys) WHERE :their_row;
SELECT 1 / pg_catalog.count(*) FROM :relation AS r WHERE :their_row_now
