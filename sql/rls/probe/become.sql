-- The session of a role, until the savepoint's end: ":settings" are what it begins with, ":authorization" is SESSION
-- AUTHORIZATION or ROLE, and ":tenant" makes it the session of a tenant.
SAVEPOINT pgmigrate_probe;
SET LOCAL search_path TO DEFAULT;
:settings
SET LOCAL row_security TO on;
SET LOCAL :authorization :"role";
:tenant
