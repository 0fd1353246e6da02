-- The database is restored and waits to take another's place: what the next attempt knows it by.
ALTER DATABASE :"database" SET pgmigrate.restored = :'backup'
