-- S5, high: a role of the application to which no policy applies, or that may become such a role. BYPASSRLS is not inherited:
-- a member has to SET ROLE, so that is what counts. Roles for backups and replication need it and are no application's.
WITH :scope
SELECT 'S5' AS "check", 'high' AS severity, format('role %I', a.name) AS object, a.name AS role,
       CASE WHEN a.oid = e.oid THEN format('the role %s: no policy applies to it', e.what)
            ELSE format('the role may become %I, which %s: no policy applies to it', e.rolname, e.what) END AS message,
       CASE WHEN a.oid = e.oid AND e.rolsuper THEN format('ALTER ROLE %I NOSUPERUSER;', a.name)
            WHEN a.oid = e.oid THEN format('ALTER ROLE %I NOBYPASSRLS;', a.name)
            ELSE format('REVOKE %I FROM %I;', e.rolname, a.name) END AS hint,
       format('SET ROLE %I;', e.rolname) AS evidence,
       false AS inconclusive
  FROM app_role AS a
  JOIN (SELECT r.oid, r.rolname, r.rolsuper,
               CASE WHEN r.rolsuper THEN 'is a superuser' ELSE 'has BYPASSRLS' END AS what
          FROM pg_catalog.pg_roles AS r
         WHERE r.rolsuper OR r.rolbypassrls) AS e
    ON e.oid = a.oid
    OR (NOT a.superuser AND pg_catalog.pg_has_role(a.oid, e.oid, CASE WHEN current_setting('server_version_num')::int >= 160000
                                                                      THEN 'SET' ELSE 'MEMBER' END))
 ORDER BY a.name, e.rolname
