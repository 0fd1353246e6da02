-- What has been loaded: part (the table's number), chunk, rows, bytes and fingerprint of each COPY.
SELECT c.part, c.chunk, c.rows, c.bytes, c.fingerprint
  FROM pgmigrate_restore.chunk AS c
