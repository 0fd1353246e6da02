-- Works as the role named role from here on.
SET ROLE :"role"
