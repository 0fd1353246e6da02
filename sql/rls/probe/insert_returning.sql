-- The same read back, so that it must also be visible.
INSERT INTO :relation (:columns_b) VALUES (:values_b) RETURNING :returning
