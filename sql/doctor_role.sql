-- Whether the user may SET ROLE to $1. One row: known, allowed.
SELECT r.oid IS NOT NULL AS known,
    coalesce(pg_catalog.pg_has_role(SESSION_USER, r.oid, 'MEMBER'), false) AS allowed
FROM (VALUES (1)) AS one (one)
LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = $1
