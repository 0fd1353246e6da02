-- Reads the rows of a table as a backup has them.
COPY :"schema".:"name" :columns FROM STDIN (FORMAT :format, ENCODING :'encoding')
