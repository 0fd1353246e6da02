-- Take a record out of the catalog: $1 file.
DELETE FROM record WHERE file = ?1
