-- What a rehearsal was run in is given up, whoever is connected to it.
DROP DATABASE IF EXISTS :"scratch" WITH (FORCE)
