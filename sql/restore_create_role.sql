-- A role that owns things and cannot log in.
CREATE ROLE :"role" NOLOGIN
