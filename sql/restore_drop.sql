-- What was made of a restore is given up.
DROP DATABASE IF EXISTS :"database" WITH (FORCE)
