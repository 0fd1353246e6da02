-- One row: whether the server counts the rows that are deleted.
SELECT pg_catalog.current_setting('track_counts') = 'on' AS counts
