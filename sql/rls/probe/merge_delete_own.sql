-- A row of one's own is deleted by MERGE.
MERGE INTO :relation AS r USING (SELECT) AS s ON :own_row WHEN MATCHED THEN DELETE
