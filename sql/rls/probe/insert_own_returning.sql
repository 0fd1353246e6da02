-- A row of one's own, read back.
INSERT INTO :relation (:columns_a) VALUES (:values_a) RETURNING :returning
