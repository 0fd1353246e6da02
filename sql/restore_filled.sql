-- One row: whether a table has rows of its own.
SELECT EXISTS (SELECT 1 FROM ONLY :"schema".:"name") AS filled
