-- Another tenant's row is deleted by MERGE.
MERGE INTO :relation AS r USING (SELECT) AS s ON :their_row WHEN MATCHED THEN DELETE
