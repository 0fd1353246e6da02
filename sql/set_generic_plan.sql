-- A prepared statement is planned once. Nothing comes back.
SET LOCAL plan_cache_mode = force_generic_plan
