-- A row of another tenant's.
INSERT INTO :relation (:columns_b) VALUES (:values_b)
