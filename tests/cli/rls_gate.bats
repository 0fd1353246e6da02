# SPDX-License-Identifier: PostgreSQL
# The gate of apply: a migration that weakens row-level security does not commit.

load helpers

setup()
{
    test_setup
    APP=${TEST_DATABASE}_app
    application_role "$APP"
    migration 001_base <<SQL
CREATE TABLE orders (tenant_id int NOT NULL, id int, note text, PRIMARY KEY (tenant_id, id));
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY guard ON orders AS RESTRICTIVE USING (note IS DISTINCT FROM 'locked');
GRANT SELECT ON orders TO $APP;
CREATE FUNCTION count_all() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1';
SQL
    run_pgmigrate apply
    assert_status 0
}

teardown()
{
    drop_test_database
    psql_server "drop role if exists $APP, ${TEST_DATABASE}_owner"
    test_teardown
}

# A migration is refused for "CHECK object" at "file:line", and nothing of it is left.
assert_refused() # FINDING PLACE
{
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "$1"
    assert_equal "$(json '.error | "\(.code) \(.file):\(.line)"')" "refused $2"
    assert_value "select string_agg(version, ' ' order by version) from schema_migrations" 001_base
    rm migrations/00[2-9]*
}

@test "what weakens row-level security is refused with the statement that did it, and nothing is left" {
    migration 002_table <<<$'SELECT 1;\nCREATE TABLE lines (tenant_id int NOT NULL);\nCREATE INDEX ON lines (tenant_id);'
    migration 003_next <<<'CREATE TABLE next (id int);'
    assert_refused "S1 public.lines" "migrations/002_table.sql:2"
    assert_value "select to_regclass('lines') is null and to_regclass('next') is null" t
    migration 002_like <<<$'CREATE TABLE copies (LIKE orders INCLUDING ALL);'
    assert_refused "S1 public.copies" "migrations/002_like.sql:1"
    migration 002_off <<<$'ALTER TABLE orders\n    DISABLE ROW LEVEL SECURITY;\nSELECT 1;'
    assert_refused "M5 public.orders, S2 public.orders" "migrations/002_off.sql:1"
    migration 002_policy <<<$'SELECT 1;\nDROP POLICY guard ON orders;'
    assert_refused "M5 public.orders" "migrations/002_policy.sql:2"
    migration 002_open <<<$'ALTER POLICY tenant ON orders USING (true);'
    assert_refused "S7 policy tenant on public.orders" "migrations/002_open.sql:1"
    migration 002_function <<<$'CREATE OR REPLACE FUNCTION count_all() RETURNS int LANGUAGE sql AS \'SELECT 2\';'
    assert_refused "M2 function public.count_all(), M2 function public.count_all()" "migrations/002_function.sql:1"
    migration 002_grant <<<"GRANT TRUNCATE ON orders TO $APP;"
    assert_refused "S17 public.orders" "migrations/002_grant.sql:1"
    migration 002_later <<<$'ALTER TABLE orders DISABLE ROW LEVEL SECURITY;\nALTER TABLE orders ADD COLUMN x int;\nCOMMENT ON TABLE orders IS \'disable\';'
    assert_refused "M5 public.orders, S2 public.orders" "migrations/002_later.sql:1"
    migration 002_altered <<<$'ALTER POLICY tenant ON orders USING (tenant_id IS NOT NULL);\nALTER TABLE orders ADD COLUMN x int;'
    assert_refused "S7 policy tenant on public.orders" "migrations/002_altered.sql:1"
    migration 002_all <<<$'SELECT 1;\nGRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO PUBLIC;\nSELECT 1;'
    assert_refused "S17 public.orders" "migrations/002_all.sql:2"
    migration 002_column <<<$'ALTER TABLE orders RENAME tenant_id TO owner;\nALTER POLICY tenant ON orders USING (true);'
    assert_refused "M7 public.orders" "migrations/002_column.sql:1"
    migration 002_do <<<$'SELECT 1;\nDO $$BEGIN EXECUTE \'ALTER TABLE orders DISABLE ROW LEVEL SECURITY\'; END$$;'
    assert_refused "M5 public.orders, S2 public.orders" "migrations/002_do.sql:2"
}

@test "a view that is replaced without its options is refused" {
    [ "$(server_major)" -ge 15 ] || skip "security_invoker came with PostgreSQL 15"
    migration 002_view <<<"CREATE VIEW shown WITH (security_invoker = true) AS SELECT id FROM orders; GRANT SELECT ON shown TO $APP;"
    run_pgmigrate apply
    assert_status 0
    migration 003_view <<<'CREATE OR REPLACE VIEW shown AS SELECT id, note FROM orders;'
    run_pgmigrate apply
    assert_status 10
    assert_stderr "migrations/003_view.sql:1:1: error: row-level security is weaker: view public.shown: lost security_invoker (M1)"
    assert_stderr "ALTER VIEW public.shown SET (security_invoker = true);"
    assert_value "select reloptions from pg_class where relname = 'shown'" "{security_invoker=true}"
}

@test "what is sound passes, whatever was wrong before; all refuses that, too, and off nothing" {
    psql_value "create table old (tenant_id int)"
    migration 002_sound <<'SQL'
CREATE TABLE lines (tenant_id int NOT NULL, line int, PRIMARY KEY (tenant_id, line));
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON lines USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
INSERT INTO orders VALUES (1, 1, 'a');
SQL
    run_pgmigrate apply
    assert_status 0
    migration 003_none <<<'CREATE TABLE plain (id int);'
    run_pgmigrate apply --rls-gate=all --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map(select(.check != "S27") | "\(.check) \(.object)") | join(", ")')" "S1 public.old"
    run_pgmigrate apply --rls-gate=off
    assert_status 0
    migration 004_off <<<'ALTER TABLE lines DISABLE ROW LEVEL SECURITY; DROP POLICY tenant ON lines;'
    run_pgmigrate apply
    assert_status 10
    rm pgmigrate.conf
    run_pgmigrate apply
    assert_status 0
}

@test "what one migration of a run mends, the next one may not undo" {
    psql_value "create table old (tenant_id int not null); grant truncate on orders to $APP"
    migration 002_revoke <<<"REVOKE TRUNCATE ON orders FROM $APP;"
    migration 003_grant <<<"GRANT TRUNCATE ON orders TO $APP;"
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S17 public.orders"
    assert_value "select max(version) from schema_migrations" 002_revoke
    rm migrations/003*
    migration 003_drop <<<"DROP TABLE old;"
    migration 004_again <<<"CREATE TABLE old (tenant_id int NOT NULL);"
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S1 public.old"
    assert_value "select max(version) from schema_migrations" 003_drop
}

@test "a finding is allowed by a directive with its reason, and only that one" {
    migration 002_allowed <<'SQL'
-- pgmigrate: rls-allow=S1 public.colours, the same for all tenants, by design
CREATE TABLE colours (tenant_id int NOT NULL);
SQL
    run_pgmigrate apply --json
    assert_status 0
    assert_equal "$(json '.rls_allowed[0] | "\(.check) \(.object): \(.reason)"')" \
        "S1 public.colours: the same for all tenants, by design"
    assert_stderr "allowed: the same for all tenants, by design"
    migration 003_other <<<$'-- pgmigrate: rls-allow=S1 public.colours, not this\nCREATE TABLE other (tenant_id int NOT NULL);'
    run_pgmigrate apply
    assert_status 10
    migration 003_other <<<$'-- pgmigrate: rls-allow=S1 public.other\nCREATE TABLE other (tenant_id int NOT NULL);'
    run_pgmigrate apply
    assert_status 2
    assert_stderr "migrations/003_other.sql:1:15: error: directive \"rls-allow\" needs a check, an object and a reason"
}

@test "a data migration that would see no rows under FORCE fails instead of changing none" {
    psql_server "create role ${TEST_DATABASE}_owner login"
    psql_value "insert into orders values (1, 1, 'a'); alter table orders force row level security;
        grant create, usage on schema public to ${TEST_DATABASE}_owner; alter table orders owner to ${TEST_DATABASE}_owner;
        alter table schema_migrations owner to ${TEST_DATABASE}_owner; alter table schema_migrations_log owner to ${TEST_DATABASE}_owner" >/dev/null
    migration 002_data <<<"UPDATE orders SET note = 'b';"
    run_pgmigrate apply --role "${TEST_DATABASE}_owner"
    assert_status 1
    assert_stderr "migrations/002_data.sql:1:1: error: query would be affected by row-level security policy"
    assert_stderr "SET LOCAL row_security = on;"
    refute_stderr "NO FORCE"
    assert_value "select note from orders" a
    migration 002_data <<<"SET LOCAL row_security = on; SELECT set_config('app.tenant', '1', true); UPDATE orders SET note = 'b';"
    run_pgmigrate apply --role "${TEST_DATABASE}_owner"
    assert_status 0
    assert_value "select note from orders" b
    migration 003_function <<<"CREATE FUNCTION notes() RETURNS SETOF text LANGUAGE sql AS 'SELECT note FROM orders';"
    run_pgmigrate apply --role "${TEST_DATABASE}_owner"
    assert_status 1
    assert_stderr "as in the body of a function"
    migration 003_function <<<"SET LOCAL row_security = on; CREATE FUNCTION notes() RETURNS SETOF text LANGUAGE sql AS 'SELECT note FROM orders';"
    run_pgmigrate apply --role "${TEST_DATABASE}_owner"
    assert_status 0
}

@test "a no-transaction script stops before the stretch that weakens something commits, and what is bare is told afterwards" {
    migration 002_bare <<'SQL'
-- pgmigrate: no-transaction
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
SQL
    migration 003_next <<<'CREATE TABLE next (id int);'
    run_pgmigrate apply
    assert_status 7
    assert_stderr "migrations/002_bare.sql:3:1: error: row-level security is weaker: public.orders"
    assert_value "select relrowsecurity, to_regclass('next') is null from pg_class where relname = 'orders'" "t|t"
    run_pgmigrate repair --clear 002_bare --reason test --yes
    rm migrations/00[23]*
    migration 002_unique <<<$'-- pgmigrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY orders_unique ON orders (note);'
    PGMIGRATE_FAIL_ON=low run_pgmigrate apply
    assert_status 10
    assert_stderr "migrations/002_unique.sql:2:1: error: row-level security is weaker: public.orders"
    assert_stderr "It ran outside a transaction and is committed"
    assert_value "select version from schema_migrations where version like '002%'" 002_unique
    # Within one script the statement is known, too.
    migration 003_do <<SQL
-- pgmigrate: no-transaction
ALTER TABLE orders ADD r int;
DO \$\$ BEGIN EXECUTE 'GRANT TRUNCATE ON orders TO $APP'; END \$\$;
ALTER TABLE orders ADD r2 int;
SQL
    run_pgmigrate apply
    assert_status 7
    assert_stderr "migrations/003_do.sql:3:1: error: row-level security is weaker: public.orders: has TRUNCATE"
    assert_stderr "It ran outside a transaction and is committed"
}

@test "attempts that gave up on a lock do not confuse the gate" {
    migration 002_table <<<$'ALTER TABLE orders ADD COLUMN more int;\nCREATE TABLE lines (tenant_id int NOT NULL);'
    hold reader "lock table orders in access share mode"
    start_pgmigrate apply --lock-timeout 50
    wait_until grep -q "blocked by\|waiting" background.err
    release reader
    wait_pgmigrate
    assert_status 10
    assert_stderr "migrations/002_table.sql:2"
}

@test "what the baseline accepts passes the gate" {
    echo "baseline = accepted.txt" >>pgmigrate.conf
    echo "S1 public.lines until 2999-01-01: everybody's" >accepted.txt
    migration 002_lines <<<'CREATE TABLE lines (tenant_id int NOT NULL);'
    run_pgmigrate apply
    assert_status 0
    migration 003_more <<<'CREATE TABLE more (tenant_id int NOT NULL);'
    echo "S1 public.more until 2001-01-01: no longer" >>accepted.txt
    run_pgmigrate apply
    assert_status 10
    echo "S1" >>accepted.txt
    run_pgmigrate apply
    assert_status 2
    assert_stderr "accepted.txt:3"
}

@test "the statement that is told names the object itself: no longer name, comment or text counts, nor does quoting" {
    migration 002_names <<'SQL'
CREATE TABLE "a. b on c" (tenant_id int NOT NULL);
CREATE TABLE "a. b on c d" (id int); -- "a. b on c"
SELECT 'a. b on c', '"a. b on c"';
SQL
    assert_refused 'S1 public."a. b on c"' "migrations/002_names.sql:1"
    migration 002_longer <<<$'ALTER TABLE orders DISABLE ROW LEVEL SECURITY;\nCREATE TABLE orders_archive (id int);\nSELECT 1; -- orders'
    assert_refused "M5 public.orders, S2 public.orders" "migrations/002_longer.sql:1"
}

@test "an rls-allow of a check that there is not is an error before anything runs" {
    printf '%s\n' '-- pgmigrate: rls-allow=S99 public.orders, because' 'SELECT 1;' >migrations/002_x.sql
    run_pgmigrate apply
    assert_status 2
    assert_stderr 'migrations/002_x.sql:1:15: error: directive "rls-allow": no check "S99" could refuse a migration'
    printf '%s\n' '-- pgmigrate: rls-allow=M6 public.orders, because' 'SELECT 1;' >migrations/002_x.sql
    run_pgmigrate check
    assert_status 3
    assert_output 'no check "M6" could refuse a migration'
}

@test "an rls-allow may be spaced freely, and one that allows nothing is told" {
    migration 002_spaced <<<$'-- pgmigrate: rls-allow=S1   public.colours ,  for all\nCREATE TABLE colours (tenant_id int NOT NULL);'
    run_pgmigrate apply
    assert_status 0
    assert_stderr "allowed: for all"
    migration 003_unused <<<$'-- pgmigrate: rls-allow=S1 public.gone, why not\nCREATE TABLE plain (id int);'
    run_pgmigrate apply
    assert_status 0
    assert_stderr "003_unused: \"rls-allow=S1 public.gone, why not\" allows nothing"
}

@test "a publication of a whole schema is seen" {
    [ "$(server_major)" -ge 15 ] || skip "TABLES IN SCHEMA came with PostgreSQL 15"
    psql_value "create publication p_$TEST_DATABASE" 2>/dev/null
    migration 002_publish <<<"ALTER PUBLICATION p_$TEST_DATABASE ADD TABLES IN SCHEMA public;"
    PGMIGRATE_FAIL_ON=low run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S25 public.orders"
}

@test "long scripts, COPY and verify scripts go through the gate as they go without" {
    { echo 'CREATE TABLE numbers (i int);'; for i in {1..1200}; do echo "INSERT INTO numbers VALUES ($i);"; done; } |
        migration 002_long
    migration 003_copy <<<$'COPY numbers FROM stdin;\n2000\n2001\n\\.\nSELECT 1;'
    migration 004_verified <<<'INSERT INTO numbers VALUES (3000);'
    migration 004_verified_verify <<<'SELECT count(*) = 1203 FROM numbers;'
    run_pgmigrate apply --json
    assert_status 0
    assert_value "select count(*), max(i) from numbers" "1203|3000"
    # Each still has its say: a statement's place, the verify script's answer, and the gate after it.
    migration 005_wrong <<<$'SELECT 1;\nINSERT INTO numbers VALUES (4000);\n  SELECT nothing;'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "005_wrong.sql:3:10: error:"
    migration 005_wrong <<<'INSERT INTO numbers VALUES (4000);'
    migration 005_wrong_verify <<<'SELECT false;'
    run_pgmigrate apply
    assert_status 1
    assert_stderr "verification failed"
    migration 005_wrong_verify <<<'SELECT true;'
    migration 005_wrong <<<$'INSERT INTO numbers VALUES (4000);\nALTER TABLE orders DISABLE ROW LEVEL SECURITY;'
    run_pgmigrate apply
    assert_status 10
    assert_stderr "005_wrong.sql:2:1: error:"
    assert_value "select max(i) from numbers" 3000
    assert_value "select relrowsecurity from pg_class where relname = 'orders'" t
}

@test "a connection lost at the gated COMMIT is settled, and SIGINT before it leaves nothing" {
    migration 002_slow <<<$'CREATE TABLE slow (i int);\nSELECT pg_sleep(60);'
    start_pgmigrate apply
    wait_until session "query ~ 'pg_sleep' and wait_event = 'PgSleep'"
    kill -INT "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 130
    assert_value "select to_regclass('slow') is null" t
    migration 002_slow <<<$'CREATE TABLE slow (i int);\nSELECT pg_terminate_backend(pg_backend_pid());'
    run_pgmigrate apply
    assert_status 4
    assert_value "select to_regclass('slow') is null" t
}

# Everything is told, low findings, too.
strict()
{
    printf 'fail_on = low\n' >>pgmigrate.conf
}

@test "a change in any catalog is seen: columns, functions, schemas, roles, defaults, parents, sixty tables at once" {
    strict
    psql_value "create schema side; create table side.lines (tenant_id int not null, id int);
        create function who() returns int language sql stable as 'select 1';
        create policy helped on orders for select using (tenant_id = who());
        create function peek() returns int language sql security definer set search_path = pg_catalog as 'select 1'"
    migration 002_null <<<$'CREATE TABLE free (id int);\nALTER TABLE orders DROP CONSTRAINT orders_pkey, ALTER tenant_id DROP NOT NULL;'
    assert_refused "S14 public.orders" "migrations/002_null.sql:2"
    migration 002_named <<<$'SELECT 1;\nALTER TABLE orders RENAME tenant_id TO whose;'
    assert_refused "M7 public.orders" "migrations/002_named.sql:2"
    migration 002_immutable <<<$'SELECT 1;\nCREATE OR REPLACE FUNCTION who() RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT current_setting(\'app.tenant\')::int $$;'
    assert_refused "S22 function public.who()" "migrations/002_immutable.sql:2"
    migration 002_definer <<<$'SELECT 1;\nCREATE OR REPLACE FUNCTION peek() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS \'SELECT count(*)::int FROM public.orders\';'
    assert_refused "S21 function public.peek()" "migrations/002_definer.sql:2"
    migration 002_path <<<$'SELECT 1;\nALTER FUNCTION peek() RESET search_path;'
    assert_refused "M2 function public.peek(), S21 function public.peek()" "migrations/002_path.sql:2"
    migration 002_schema <<<$'SELECT 1;\nGRANT CREATE ON SCHEMA side TO PUBLIC;'
    assert_refused "S24 schema side" "migrations/002_schema.sql:2"
    migration 002_default <<<$'SELECT 1;\nALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;'
    assert_refused "S24 default privileges of postgres" "migrations/002_default.sql:2"
    migration 002_role <<<"ALTER ROLE $APP BYPASSRLS;"
    assert_refused "S5 role $APP" "migrations/002_role.sql:1"
    migration 002_child <<<"CREATE TABLE part () INHERITS (orders); GRANT SELECT ON part TO $APP;"
    assert_refused "S18 public.part" "migrations/002_child.sql:1"
    migration 002_many <<'SQL'
DO $$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE TABLE plain_%s (id int)', i); END LOOP; END $$;
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
SQL
    assert_refused "M5 public.orders, S2 public.orders" "migrations/002_many.sql:2"
}

@test "what was wrong before with a table that something else reads is not taken for new later" {
    psql_value "create table parents (tenant_id int not null, id int primary key); alter table parents enable row level security;
        create policy tenant on parents using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
        create table lines (like parents); alter table lines enable row level security;
        create policy tenant on lines using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
        alter table orders add parent int references parents on delete cascade;
        create view both_of_them as select o.id from orders as o join lines as l using (id)"
    migration 002_lines <<<'ALTER TABLE lines ADD COLUMN note text;'
    migration 003_orders <<<'ALTER TABLE orders ADD COLUMN more text;'
    run_pgmigrate apply
    assert_status 0
}

@test "a constraint that is looked after at COMMIT fails with the gate as it does without" {
    migration 002_deferred <<<'CREATE TABLE later (id int REFERENCES later_parent DEFERRABLE INITIALLY DEFERRED); INSERT INTO later VALUES (5);'
    psql_value "create table later_parent (id int primary key)"
    for gate in off new; do
        run_pgmigrate apply --rls-gate=$gate
        assert_status 1
        assert_stderr 'migrations/002_deferred.sql: error: at COMMIT: insert or update on table "later" violates'
    done
}

@test "a script that throws prepared statements away does not blind the gate" {
    migration 002_a <<<'CREATE TABLE a (id int); DEALLOCATE ALL;'
    migration 003_b <<<'CREATE TABLE b (id int); DISCARD PLANS;'
    migration 004_c <<<"PREPARE mine AS SELECT 1; CREATE TABLE c (id int);"
    migration 005_hole <<<"GRANT TRUNCATE ON orders TO $APP;"
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S17 public.orders"
    assert_value "select string_agg(version, ' ' order by version) from schema_migrations" "001_base 002_a 003_b 004_c"
}

@test "a table that leaves the schemas which are looked at is told, and renaming is no loss" {
    strict
    printf 'schemas = public, shop\n' >>pgmigrate.conf
    psql_value "create schema shop; create schema attic; create table plain (id int);
        alter table orders alter note set default 'x'; create unique index on orders (note, id)"
    migration 002_out <<<$'SELECT 1;\nALTER TABLE orders SET SCHEMA attic;'
    assert_refused "M7 public.orders" "migrations/002_out.sql:2"
    migration 002_within <<<$'ALTER TABLE orders SET SCHEMA shop;\nALTER TABLE shop.orders RENAME TO sales;\nALTER POLICY guard ON shop.sales RENAME TO warden;'
    run_pgmigrate apply
    assert_status 0
    migration 003_plain <<<'ALTER TABLE plain SET SCHEMA attic;'
    run_pgmigrate apply
    assert_status 0
    migration 004_open <<<'ALTER TABLE shop.sales NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;'
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "M5 shop.sales, S2 shop.sales"
}

# Without roles in the configuration they are found by their grants.
unnamed()
{
    sed -i '/^roles/d' pgmigrate.conf
    printf 'fail_on = medium\n' >>pgmigrate.conf
}

@test "who the roles of the application are does not depend on what is looked at" {
    unnamed
    psql_server "create role ${TEST_DATABASE}_owner login"
    psql_value "create table d (id int, tenant_id int not null); alter table d enable row level security;
        create policy team on d to ${TEST_DATABASE}_owner using (true);
        create policy tenant on d using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
        create table hers (id int, tenant_id int not null);
        create function sum_all() returns bigint language sql security definer set search_path = pg_catalog as 'select count(*) from public.hers'"
    # A policy of a role that is none of the application's is no finding, in a narrow look neither.
    migration 002_first <<<'SELECT 1;'
    migration 003_narrow <<<'ALTER TABLE d ADD x int;'
    run_pgmigrate apply
    assert_status 0
    # And what concerns the role is found although its grants are elsewhere.
    migration 004_first <<<'SELECT 1;'
    migration 005_definer <<<"CREATE FUNCTION loose() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S21 function public.loose()"
    rm migrations/005*
    # A grant that makes another role the application's is seen with all that it may do then.
    psql_value "grant truncate on orders to ${TEST_DATABASE}_owner; alter table d owner to ${TEST_DATABASE}_owner"
    migration 005_owner <<<'ALTER TABLE d OWNER TO postgres;'
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S7 policy team on public.d, S17 public.orders"
}

@test "what hangs on a function is looked at when it changes, and what a policy no longer calls" {
    psql_value "create table members (tenant_id int, login text); alter table members enable row level security;
        create policy p on members using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
        create function mine() returns setof int stable language sql security definer set search_path = pg_catalog
            as 'select tenant_id from public.members where login = current_user';
        create policy mine on orders using (tenant_id in (select mine()));
        create function inner_one() returns int stable language plpgsql as 'begin return 1; end';
        create function outer_one() returns int immutable language plpgsql as 'begin return inner_one(); end';
        create policy inner_one on orders as restrictive using (tenant_id = outer_one() or true)"
    migration 002_first <<<'SELECT 1;'
    migration 003_uncalled <<<'DROP POLICY mine ON orders;'
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S21 function public.mine()"
    rm migrations/003*
    migration 003_inner <<<$'CREATE OR REPLACE FUNCTION inner_one() RETURNS int STABLE LANGUAGE plpgsql AS \'begin return current_setting(\'\'app.tenant\'\')::int; end\';'
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S22 function public.outer_one()"
}

@test "a table that reaches its tenant through another one is not renamed out of sight" {
    psql_value "create table line (order_id int); alter table line enable row level security;
        create policy p on line using (order_id in (select id from orders))"
    printf 'through.line = orders\n' >>pgmigrate.conf
    migration 002_away <<<'ALTER TABLE line RENAME TO lines;'
    assert_refused "M7 public.line" "migrations/002_away.sql:1"
}

@test "a second finding of the same check, object and role is new; a trigger, what runs at COMMIT, and a short timeout" {
    psql_value "create table b (tenant_id int not null, id int); alter table b enable row level security;
        create policy p on b using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
        create view shown as select id from orders; grant select on shown to $APP;
        create function set_it() returns trigger language plpgsql as 'begin return new; end';
        create trigger set_it before insert on b for each row execute function set_it();
        create policy loose on b using (tenant_id = nullif(current_setting('app.tenant', true), '')::int) with check (id > 0);
        create function later() returns trigger language plpgsql as 'begin execute ''alter table orders disable row level security''; return null; end';
        create constraint trigger later after insert on b deferrable initially deferred for each row execute function later()"
    migration 002_more <<<'CREATE OR REPLACE VIEW shown AS SELECT o.id FROM orders AS o JOIN b USING (id);'
    assert_refused "S19 view public.shown" "migrations/002_more.sql:1"
    printf 'fail_on = high\n' >>pgmigrate.conf
    migration 002_trigger <<<'DROP TRIGGER set_it ON b;'
    assert_refused "S9 policy loose on public.b" "migrations/002_trigger.sql:1"
    migration 002_later <<<'INSERT INTO b VALUES (1, 1);'
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "M5 public.orders, S2 public.orders"
    rm migrations/002*
    migration 002_short <<<$'-- pgmigrate: statement_timeout=50ms\nSET LOCAL quote_all_identifiers = on;\nALTER TABLE b ADD x int;'
    run_pgmigrate apply
    assert_status 0
}

@test "the gate works for a role that is no superuser" {
    psql_server "create role ${TEST_DATABASE}_owner login"
    psql_value "grant create on schema public to ${TEST_DATABASE}_owner; grant create on database \"$TEST_DATABASE\" to ${TEST_DATABASE}_owner;
        alter table orders owner to ${TEST_DATABASE}_owner; alter table schema_migrations owner to ${TEST_DATABASE}_owner;
        alter table schema_migrations_log owner to ${TEST_DATABASE}_owner; alter function count_all() owner to ${TEST_DATABASE}_owner"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "${TEST_DATABASE}_owner")
    migration 002_sound <<<'CREATE TABLE plain (id int);'
    migration 003_open <<<$'SELECT 1;\nALTER TABLE orders DISABLE ROW LEVEL SECURITY;'
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "M5 public.orders, S2 public.orders"
    assert_equal "$(json '.error | "\(.file):\(.line)"')" "migrations/003_open.sql:2"
    migration 003_open <<<"GRANT TRUNCATE ON orders TO $APP;"
    run_pgmigrate apply --json
    assert_status 10
    assert_equal "$(json '.rls_refused | map("\(.check) \(.object)") | join(", ")')" "S17 public.orders"
}
