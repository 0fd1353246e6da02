-- Who we were before the probe, with all rows in sight, still within its savepoint.
SET LOCAL SESSION AUTHORIZATION DEFAULT;
SET LOCAL ROLE NONE;
SET LOCAL row_security TO off
