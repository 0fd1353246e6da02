-- The same by way of a cursor.
DECLARE pgmigrate_probe NO SCROLL CURSOR FOR SELECT FROM :relation AS r WHERE :foreign; FETCH ALL FROM pgmigrate_probe
