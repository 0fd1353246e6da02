-- A row of another tenant's, by COPY.
COPY :relation (:columns_b) FROM STDIN
