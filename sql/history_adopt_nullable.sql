-- Column :"column" may be empty from now on. Nothing comes back.
ALTER TABLE :"schema".:"table" ALTER COLUMN :"column" DROP NOT NULL
