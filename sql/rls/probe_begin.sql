-- A transaction that is always undone: one snapshot, so that what others do meanwhile is never counted.
BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE;
SET LOCAL row_security TO off
