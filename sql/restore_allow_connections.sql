-- Whether anybody may connect to a database.
ALTER DATABASE :"database" ALLOW_CONNECTIONS :allow
