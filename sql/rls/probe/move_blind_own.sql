-- A row of one's own stays where it is, without reading a column.
DECLARE pgmigrate_probe CURSOR FOR SELECT FROM :relation AS r WHERE :own_row; FETCH pgmigrate_probe;
UPDATE :relation AS r SET :stay WHERE CURRENT OF pgmigrate_probe
