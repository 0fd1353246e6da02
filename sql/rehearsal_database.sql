-- The database of a throwaway cluster that migrations are rehearsed in.
CREATE DATABASE :"database" TEMPLATE template0 ENCODING 'UTF8'
