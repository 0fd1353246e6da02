-- What a person writes to see the same.
BEGIN; SET LOCAL ROLE :"role"; :session:statement; ROLLBACK;
