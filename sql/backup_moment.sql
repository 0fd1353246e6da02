-- Takes the transaction's snapshot and lets others import it: its name, the time (UTC, RFC 3339), the place in the WAL,
-- which transactions it sees, and whether the server is a standby.
SELECT pg_catalog.pg_export_snapshot() AS name,
       pg_catalog.to_char(pg_catalog.statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS taken_at,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END AS lsn,
       pg_catalog.pg_current_snapshot() AS visible,
       pg_catalog.pg_is_in_recovery() AS standby
