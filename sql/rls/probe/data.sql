-- The line that COPY is given.
:data
