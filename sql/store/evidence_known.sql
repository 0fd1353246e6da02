-- A row when the rehearsal $1 is kept already.
SELECT id FROM rehearsal WHERE id = ?1
