-- The transaction sees what the one that exported the snapshot sees; before its first query.
SET TRANSACTION SNAPSHOT :'snapshot'
