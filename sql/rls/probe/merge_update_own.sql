-- A row of one's own is changed by MERGE.
MERGE INTO :relation AS r USING (SELECT) AS s ON :own_row WHEN MATCHED THEN UPDATE SET :"touch" = r.:"touch"
