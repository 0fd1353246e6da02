-- Rows of a table in.
COPY :"schema".:"name" :columns FROM STDIN (FORMAT :format, FREEZE :freeze, ENCODING :'encoding')
