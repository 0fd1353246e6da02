-- Gives back the role of connection time.
RESET ROLE
