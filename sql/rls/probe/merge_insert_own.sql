-- A row of one's own is made by MERGE.
MERGE INTO :relation AS r USING (SELECT) AS s ON false WHEN NOT MATCHED THEN INSERT (:columns_a) VALUES (:values_a)
