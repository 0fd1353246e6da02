-- Event triggers that see what a session does with session_replication_role = replica: name, and how each is enabled.
SELECT e.evtname AS name, CASE e.evtenabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END AS enabled
  FROM pg_catalog.pg_event_trigger AS e
 WHERE e.evtenabled IN ('A', 'R')
