-- A row of one's own.
INSERT INTO :relation (:columns_a) VALUES (:values_a)
