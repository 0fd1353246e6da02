-- Where nothing is committed: what is deferred to COMMIT happens now, and then every constraint is as it is when a
-- transaction begins. They are named, because SET CONSTRAINTS ALL would also hold for those that are made later. A name
-- stands for all constraints of that name in its schema; they can be deferred together only where all are deferrable.
DO $$
DECLARE
    every pg_catalog.text;
    later pg_catalog.text;
BEGIN
    SELECT pg_catalog.string_agg(s.name, ', '), pg_catalog.string_agg(s.name, ', ') FILTER (WHERE s.deferred)
      INTO every, later
      FROM (SELECT pg_catalog.format('%I.%I', n.nspname, c.conname) AS name,
                   pg_catalog.bool_or(c.condeferred) AND pg_catalog.bool_and(c.condeferrable) AS deferred
              FROM pg_catalog.pg_constraint AS c
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.connamespace
             WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')
               AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
             GROUP BY n.nspname, c.conname
            HAVING pg_catalog.bool_or(c.condeferrable)) AS s;
    IF every IS NOT NULL THEN
        EXECUTE 'SET CONSTRAINTS ' || every || ' IMMEDIATE';
    END IF;
    IF later IS NOT NULL THEN
        EXECUTE 'SET CONSTRAINTS ' || later || ' DEFERRED';
    END IF;
END $$
