-- The same by a statement that reads no column, so that only the policies for UPDATE are asked.
DECLARE pgmigrate_probe CURSOR FOR SELECT FROM :relation AS r WHERE :own_row; FETCH pgmigrate_probe;
UPDATE :relation AS r SET :move WHERE CURRENT OF pgmigrate_probe
