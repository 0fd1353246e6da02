-- Forgets the session's prepared statements.
DEALLOCATE ALL
