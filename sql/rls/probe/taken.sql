-- Whether another tenant's key is taken.
INSERT INTO :relation AS r (:columns_taken) OVERRIDING SYSTEM VALUE VALUES (:values_guessed)
