-- A transaction that looks at one moment and changes nothing.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
