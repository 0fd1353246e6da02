-- What a rehearsal was run in that came to no end; it fails while somebody is connected to it.
DROP DATABASE IF EXISTS :"scratch"
