-- Forget the whole of old rehearsals; their lines stay.
UPDATE rehearsal SET document = NULL
 WHERE document IS NOT NULL AND id NOT IN (SELECT id FROM rehearsal ORDER BY ended_at DESC, id LIMIT 50)
