-- Whether the server answers at all.
SELECT
