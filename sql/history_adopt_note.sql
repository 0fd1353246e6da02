-- Say in the log that the table was there first. Nothing comes back.
INSERT INTO :"schema".:"log" (action, detail)
SELECT 'adopted', pg_catalog.count(*) || ' rows were there before pgmigrate' FROM :"schema".:"table"
