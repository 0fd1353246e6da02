-- Commits. The command tag tells: COMMIT, or ROLLBACK if the transaction had failed.
COMMIT
