SELECT lo_from_bytea(900001, decode(repeat('00ff5c0a', 200000), 'hex')) \g /dev/null
SELECT lo_from_bytea(900002, '') \g /dev/null
SELECT lo_from_bytea(900003, 'text') \g /dev/null
SELECT lo_from_bytea(910000 + i, convert_to('object ' || i, 'UTF8')) FROM generate_series(1, 30) i \g /dev/null
ALTER LARGE OBJECT 900002 OWNER TO fidelity_owner;
GRANT SELECT ON LARGE OBJECT 900003 TO fidelity_reader, PUBLIC;
GRANT UPDATE ON LARGE OBJECT 900002 TO "Fidelity ""Rolle"" ü";
COMMENT ON LARGE OBJECT 900003 IS 'a "large" object';
