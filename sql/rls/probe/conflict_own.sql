-- A row of one's own is changed because its key is taken.
INSERT INTO :relation AS r (:columns_taken) OVERRIDING SYSTEM VALUE VALUES (:values_taken_own)
ON CONFLICT (:key) DO UPDATE SET :"touch" = r.:"touch"
