-- Begins a transaction of the catalog and locks it against other writers.
BEGIN IMMEDIATE
