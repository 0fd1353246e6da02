-- Reads as applications do; the row does not matter.
SELECT 1 FROM :"schema".:"table" LIMIT 1
