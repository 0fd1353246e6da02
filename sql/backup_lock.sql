-- Locks tables (each with ONLY) so that nobody can drop, rewrite or truncate them, and everybody can read and write.
LOCK TABLE :tables IN ACCESS SHARE MODE
