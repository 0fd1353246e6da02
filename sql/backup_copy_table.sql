-- All rows of a table.
COPY :"schema".:"name" :columns TO STDOUT (FORMAT :format, ENCODING :'encoding')
