-- From here on a COMMIT waits for the disk, and so for all that was committed before it.
SET synchronous_commit = on
