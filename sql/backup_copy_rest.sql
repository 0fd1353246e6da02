-- The rows on a table's pages from first to the end.
COPY (SELECT :columns FROM ONLY :"schema".:"name" WHERE ctid >= :'first') TO STDOUT (FORMAT :format, ENCODING :'encoding')
