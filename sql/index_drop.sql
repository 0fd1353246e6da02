-- Drops an index without blocking its table; outside any transaction.
DROP INDEX CONCURRENTLY IF EXISTS :"schema".:"index"
