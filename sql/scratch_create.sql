-- A copy of a database, file by file; nobody may be connected to it meanwhile.
CREATE DATABASE :"scratch" TEMPLATE :"source"
