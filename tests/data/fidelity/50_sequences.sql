SET search_path = fidelity;
CREATE SEQUENCE never_used START 17;
CREATE SEQUENCE backwards AS smallint INCREMENT -3 MAXVALUE -2 MINVALUE -20 START -5 CYCLE;
SELECT nextval('backwards') FROM generate_series(1, 4) \g /dev/null
CREATE SEQUENCE to_its_end MAXVALUE 3;
SELECT nextval('to_its_end') FROM generate_series(1, 3) \g /dev/null
CREATE SEQUENCE not_called AS bigint CACHE 50;
SELECT setval('not_called', 9223372036854775806, false) \g /dev/null
CREATE SEQUENCE owned OWNED BY egg.id;
SELECT setval('owned', 1000) \g /dev/null
ALTER TABLE egg ALTER id SET DEFAULT nextval('fidelity.owned');
