-- Gives every setting its value at connection time, but not the role.
RESET ALL
