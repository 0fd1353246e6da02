-- What a statement prepared for one tenant shows to the next one.
PREPARE pgmigrate_probe AS SELECT count(*), min(:whose) FROM :relation AS r WHERE :mine;
EXECUTE pgmigrate_probe; EXECUTE pgmigrate_probe; EXECUTE pgmigrate_probe;
EXECUTE pgmigrate_probe; EXECUTE pgmigrate_probe; EXECUTE pgmigrate_probe;
:next_session
EXECUTE pgmigrate_probe
