-- Drops what a failed build has left of an index, in a transaction.
DROP INDEX :"schema".:"index"
