-- The body of its function.
BEGIN IF EXISTS (SELECT FROM (SELECT OLD.*) AS r WHERE :foreign) THEN RAISE NOTICE 'pgmigrate: %', :'their'; END IF; RETURN NULL; END
