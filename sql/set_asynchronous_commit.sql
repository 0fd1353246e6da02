-- This transaction's COMMIT does not wait for the disk; a later one does for both.
SET LOCAL synchronous_commit = off
