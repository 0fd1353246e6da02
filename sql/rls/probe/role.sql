-- The tenant's own role.
SET LOCAL ROLE :"role";
