-- The rows on a table's pages from first on and before last.
COPY (SELECT :columns FROM ONLY :"schema".:"name" WHERE ctid >= :'first' AND ctid < :'last') TO STDOUT (FORMAT :format, ENCODING :'encoding')
