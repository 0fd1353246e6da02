-- One row, status: what became of transaction $1 (xid8 as text) whose session has ended: committed or aborted; null when
-- the server has forgotten it. A number not given out yet was lost in a crash, and its transaction with it.
SELECT CASE WHEN $1::pg_catalog.xid8 >= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) THEN 'aborted'
            ELSE pg_catalog.pg_xact_status($1::pg_catalog.xid8) END AS status
