-- How much is looked at: tables of tenants, and roles of the application.
WITH :scope
SELECT (SELECT count(*) FROM tenant_table) AS tables, (SELECT count(*) FROM app_role) AS roles
