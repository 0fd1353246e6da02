-- Another name for a database that nobody is connected to.
ALTER DATABASE :"database" RENAME TO :"new"
