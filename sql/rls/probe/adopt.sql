-- A row of one's own refers to rows of another tenant's.
INSERT INTO :relation (:columns_a) VALUES (:values_adopted)
