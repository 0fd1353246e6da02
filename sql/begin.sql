-- Begins a transaction with the server's defaults.
BEGIN
