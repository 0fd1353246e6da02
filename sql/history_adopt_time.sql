-- Take applied_at from the column :"column" that a table that was there first has for it. Nothing comes back.
UPDATE :"schema".:"table" SET applied_at = :"column"
