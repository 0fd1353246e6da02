-- Begins a transaction that sees one moment, which is that of its first query: LOCK and SET are none.
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY
