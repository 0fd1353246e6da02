-- Let the planner take an index wherever there is one.
SET LOCAL enable_seqscan TO off
