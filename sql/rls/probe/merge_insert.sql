-- A row of another tenant's is made by MERGE.
MERGE INTO :relation AS r USING (SELECT) AS s ON false WHEN NOT MATCHED THEN INSERT (:columns_b) VALUES (:values_b)
