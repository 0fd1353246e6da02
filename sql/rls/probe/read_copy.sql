-- As many rows as there are to see.
COPY :relation TO STDOUT
