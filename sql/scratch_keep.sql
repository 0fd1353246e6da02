-- The next rehearsals leave it alone.
COMMENT ON DATABASE :"scratch" IS 'pgmigrate rehearsal, kept'
