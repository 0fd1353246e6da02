-- As set_statement_timeout, for a statement outside any transaction.
SET statement_timeout = :"value"
