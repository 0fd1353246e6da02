-- Gives back the session user, if a script took another's place.
RESET SESSION AUTHORIZATION
