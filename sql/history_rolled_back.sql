-- Versions that the log says were taken out of the history by the action $1, or by hand, and that it does not have any more.
SELECT DISTINCT l.version
  FROM :"schema".:"log" AS l
 WHERE l.action IN ($1, 'mark_' || $1)
   AND l.version IS NOT NULL
   AND NOT EXISTS (SELECT FROM :"schema".:"table" AS h WHERE h.version = l.version)
 ORDER BY l.version
