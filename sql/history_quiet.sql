-- No notices about what is there already, for the rest of the transaction. Nothing comes back.
SET LOCAL client_min_messages = 'warning'
