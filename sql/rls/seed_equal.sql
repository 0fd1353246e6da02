-- A condition on a row "r", to be followed by others.
r.:"column" = :'value' AND 
