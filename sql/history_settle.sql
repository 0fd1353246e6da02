-- One row, recorded: whether the log tells that run $2 has done action $3 to version $1. The line is written by the
-- transaction it speaks of and never taken away, whatever becomes of the row.
SELECT EXISTS (SELECT FROM :"schema".:"log" AS l
                WHERE l.version = $1 AND l.run_id = $2 AND l.action = $3) AS recorded
