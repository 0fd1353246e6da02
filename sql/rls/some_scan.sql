-- Let the planner choose again.
SET LOCAL enable_seqscan TO on
