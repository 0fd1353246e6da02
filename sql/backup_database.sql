-- The statements that make a database with this one's properties, in order: statement, with :"database" where its name
-- belongs, and whether it comes first (CREATE DATABASE) or after the data. Grants keep the order in which they were
-- made: one by another than the owner hangs on an earlier one.
WITH this AS (
    SELECT d.oid, d.datdba, d.datacl, d.datconnlimit, d.datistemplate, d.encoding, o.rolname AS owner,
           pg_catalog.to_jsonb(d) AS row
      FROM pg_catalog.pg_database AS d
      JOIN pg_catalog.pg_roles AS o ON o.oid = d.datdba
     WHERE d.datname = pg_catalog.current_database()
), locale AS (
    SELECT t.row ->> 'datcollate' AS collate, t.row ->> 'datctype' AS ctype,
           coalesce(t.row ->> 'datlocprovider', 'c') AS provider,
           coalesce(t.row ->> 'datlocale', t.row ->> 'daticulocale') AS name,
           t.row ->> 'daticurules' AS rules
      FROM this AS t
), setting AS (
    SELECT r.rolname AS role, pg_catalog.split_part(c.entry, '=', 1) AS name,
           pg_catalog.substr(c.entry, pg_catalog.strpos(c.entry, '=') + 1) AS value, c.position
      FROM this AS t
      JOIN pg_catalog.pg_db_role_setting AS s ON s.setdatabase = t.oid
      LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
     CROSS JOIN pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS c (entry, position)
), granted AS (
    SELECT g.privilege_type AS privilege, g.is_grantable AS grantable, g.position,
           g.grantor = t.datdba AS by_owner, b.rolname AS grantor,
           CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(e.rolname) END AS grantee
      FROM this AS t
     CROSS JOIN pg_catalog.aclexplode(t.datacl)
           WITH ORDINALITY AS g (grantor, grantee, privilege_type, is_grantable, position)
      LEFT JOIN pg_catalog.pg_roles AS b ON b.oid = g.grantor
      LEFT JOIN pg_catalog.pg_roles AS e ON e.oid = g.grantee
     WHERE g.grantee = 0
        OR e.rolname IS NOT NULL
), statements AS (
    SELECT 1 AS step, 0 AS position, '' AS name,
           pg_catalog.concat(
               'CREATE DATABASE :"database" WITH TEMPLATE = template0 ENCODING = ',
               pg_catalog.quote_literal(pg_catalog.pg_encoding_to_char(t.encoding)),
               CASE l.provider WHEN 'i' THEN ' LOCALE_PROVIDER = icu' WHEN 'b' THEN ' LOCALE_PROVIDER = builtin'
                               ELSE '' END,
               ' LC_COLLATE = ' || pg_catalog.quote_literal(l.collate),
               ' LC_CTYPE = ' || pg_catalog.quote_literal(l.ctype),
               CASE l.provider WHEN 'i' THEN ' ICU_LOCALE = ' || pg_catalog.quote_literal(l.name)
                               WHEN 'b' THEN ' BUILTIN_LOCALE = ' || pg_catalog.quote_literal(l.name) END,
               ' ICU_RULES = ' || pg_catalog.quote_literal(l.rules)) AS statement
      FROM this AS t, locale AS l
    UNION ALL
    SELECT 2, 0, '', 'ALTER DATABASE :"database" OWNER TO ' || pg_catalog.quote_ident(t.owner) FROM this AS t
    UNION ALL
    SELECT 3, 0, '', 'COMMENT ON DATABASE :"database" IS ' || pg_catalog.quote_literal(d.description)
      FROM this AS t
      JOIN pg_catalog.pg_shdescription AS d
        ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
    UNION ALL
    SELECT 4, 0, l.provider, pg_catalog.concat('SECURITY LABEL FOR ', pg_catalog.quote_ident(l.provider),
                                               ' ON DATABASE :"database" IS ', pg_catalog.quote_literal(l.label))
      FROM this AS t
      JOIN pg_catalog.pg_shseclabel AS l
        ON l.objoid = t.oid AND l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
    UNION ALL
    SELECT 5, 0, '', 'REVOKE ALL ON DATABASE :"database" FROM PUBLIC' FROM this AS t WHERE t.datacl IS NOT NULL
    UNION ALL
    SELECT 6, 0, '', 'REVOKE ALL ON DATABASE :"database" FROM ' || pg_catalog.quote_ident(t.owner)
      FROM this AS t WHERE t.datacl IS NOT NULL
    UNION ALL
    SELECT CASE WHEN g.by_owner THEN 7 ELSE 8 END, 3 * g.position + s.position, '', s.statement
      FROM granted AS g
     CROSS JOIN LATERAL (VALUES (1, 'SET SESSION AUTHORIZATION ' || pg_catalog.quote_ident(g.grantor)),
                                (2, pg_catalog.concat('GRANT ', g.privilege, ' ON DATABASE :"database" TO ', g.grantee,
                                                      CASE WHEN g.grantable THEN ' WITH GRANT OPTION' END)),
                                (3, 'RESET SESSION AUTHORIZATION')) AS s (position, statement)
     WHERE s.position = 2
        OR NOT g.by_owner
    UNION ALL
    SELECT 9, 0, '', 'ALTER DATABASE :"database" CONNECTION LIMIT ' || t.datconnlimit FROM this AS t WHERE t.datconnlimit >= 0
    UNION ALL
    SELECT 10, 0, '', 'ALTER DATABASE :"database" IS_TEMPLATE true' FROM this AS t WHERE t.datistemplate
    UNION ALL
    SELECT 11, s.position, coalesce(s.role, ''),
           pg_catalog.concat(CASE WHEN s.role IS NULL THEN 'ALTER DATABASE :"database"'
                                  ELSE pg_catalog.concat('ALTER ROLE ', pg_catalog.quote_ident(s.role), ' IN DATABASE :"database"') END,
                             ' SET ', pg_catalog.quote_ident(s.name), ' TO ',
                             CASE WHEN s.name IN ('local_preload_libraries', 'search_path', 'session_preload_libraries',
                                                  'shared_preload_libraries', 'temp_tablespaces', 'unix_socket_directories')
                                  THEN coalesce((SELECT pg_catalog.string_agg(pg_catalog.quote_literal(
                                                            coalesce(pg_catalog.replace(m.part[1], '""', '"'), m.part[2])),
                                                            ', ' ORDER BY m.position)
                                                   FROM pg_catalog.regexp_matches(s.value, '"((?:[^"]|"")*)"|([^",\s]+)', 'g')
                                                        WITH ORDINALITY AS m (part, position)), '''''')
                                  ELSE pg_catalog.quote_literal(s.value) END)
      FROM setting AS s
)
SELECT s.step = 1 AS creates, s.statement
  FROM statements AS s
 ORDER BY s.step, s.name, s.position
