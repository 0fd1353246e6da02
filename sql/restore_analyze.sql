-- Statistics for the planner.
ANALYZE :"schema".:"name"
