-- The stored scripts of version $1: forward, rollback.
SELECT h.forward_text AS forward, h.rollback_text AS rollback FROM :"schema".:"table" AS h WHERE h.version = $1
