-- It has taken the place.
ALTER DATABASE :"database" RESET pgmigrate.restored
