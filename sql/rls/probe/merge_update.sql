-- Another tenant's row is changed by MERGE.
MERGE INTO :relation AS r USING (SELECT) AS s ON :their_row WHEN MATCHED THEN UPDATE SET :"touch" = r.:"touch"
