-- The body of that function.
BEGIN IF tenant <> :'own' THEN RAISE NOTICE 'pgmigrate: %', tenant; END IF; RETURN true; END
