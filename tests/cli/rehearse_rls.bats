# SPDX-License-Identifier: PostgreSQL
# Rehearsals where row-level security is configured: the gate before each COMMIT, what a rollback leaves, and probes.

load helpers

setup()
{
    test_setup
    ROLE=app_$TEST_DATABASE
    application_role "$ROLE"
    migration 001_orders <<SQL
CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY, tenant_id int NOT NULL, note text, PRIMARY KEY (tenant_id, id));
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders (tenant_id, note) VALUES (1, 'a'), (1, 'b'), (2, 'c');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO $ROLE;
SQL
    migration 001_orders_rollback <<<'DROP TABLE orders;'
    run_pgmigrate apply
    assert_status 0
}

teardown()
{
    drop_test_database
    psql_server "drop role if exists $ROLE"
    test_teardown
}

differences()
{
    json '.migrations[].differences[] | "\(.kind) \(.object): \(.what)"' | sort
}

weaknesses()
{
    json '.migrations[].weaknesses[] | "\(.object) \(.what)"'
}

@test "what apply's gate would refuse fails in the rehearsal, and what rls-allow lets pass does not" {
    migration 002_off <<<$'SELECT 1;\nALTER TABLE orders DISABLE ROW LEVEL SECURITY;'
    migration 002_off_rollback <<<'ALTER TABLE orders ENABLE ROW LEVEL SECURITY;'
    run_pgmigrate rehearse
    assert_status 1
    assert_stderr "migrations/002_off.sql:2:1: error: row-level security is weaker: "
    run_pgmigrate rehearse --rls-gate=off
    assert_status 0
    migration 002_off <<<$'-- pgmigrate: rls-allow=S2 public.orders, for a day\n-- pgmigrate: rls-allow=M5 public.orders, for a day\nALTER TABLE orders DISABLE ROW LEVEL SECURITY;'
    run_pgmigrate rehearse
    assert_status 0
    run_pgmigrate apply
    assert_status 0
}

@test "a rollback that leaves row-level security weaker is told with the finding" {
    migration 002_policy <<<"ALTER POLICY own ON orders USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::int);"
    migration 002_policy_rollback <<<$'ALTER POLICY own ON orders USING (true);'
    run_pgmigrate rehearse --json
    assert_status 3
    assert_equal "$(json '.migrations[0] | "\(.passed) \(.rollback)"')" "false differs"
    [[ $(differences) == *"row-level security of policy own on public.orders: "*"(S7)"* ]]
    run_pgmigrate rehearse
    assert_output "after the rollback: row-level security of policy own on public.orders: "
}

@test "--probe-tenants attacks after each migration and after its rollback" {
    # What only an attack shows: a function says that it is safe, and tells the rows of all.
    migration 002_leak <<SQL
CREATE FUNCTION tenant() RETURNS int STABLE LANGUAGE sql AS \$\$ SELECT 1 \$\$;
ALTER POLICY own ON orders USING (tenant_id = tenant());
SQL
    migration 002_leak_rollback <<<"ALTER POLICY own ON orders USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::int); DROP FUNCTION tenant();"
    run_pgmigrate rehearse --probe-tenants --json
    assert_status 3
    assert_equal "$(json '.migrations[0] | "\(.passed) \(.rollback)"')" "false exact"
    [[ $(weaknesses) == *"public.orders "*", as $ROLE (D1)"* ]]
    run_pgmigrate rehearse --probe-tenants --html page.html
    assert_status 3
    assert_output "row-level security of public.orders: "
    grep -q "reaches the rows of another" page.html
    # A sound one passes; numbers that the probes drew from sequences are nobody's difference.
    migration 002_leak <<<'ALTER TABLE orders ADD COLUMN more text;'
    migration 002_leak_rollback <<<'ALTER TABLE orders DROP COLUMN more;'
    run_pgmigrate rehearse --probe-tenants --json
    assert_status 0
    assert_equal "$(json '.migrations[0] | "\(.passed) \(.rollback) \(.weaknesses | length) \(.differences | length)"')" "true exact 0 0"
    assert_value "select count(*) from orders" 3
}

@test "a rollback that leaves a hole only an attack shows is told by --probe-tenants" {
    migration 002_more <<<'ALTER TABLE orders ADD COLUMN more text;'
    migration 002_more_rollback <<SQL
ALTER TABLE orders DROP COLUMN more;
CREATE FUNCTION tenant() RETURNS int STABLE LANGUAGE sql AS \$\$ SELECT 1 \$\$;
ALTER POLICY own ON orders USING (tenant_id = tenant());
SQL
    run_pgmigrate rehearse --probe-tenants --json
    assert_status 3
    [[ $(differences) == *"row-level security of public.orders: "*", as $ROLE (D1)"* ]]
}

@test "--probe-tenants wants to know what a tenant is" {
    migration 002_more <<<'ALTER TABLE orders ADD COLUMN more text;'
    rm pgmigrate.conf
    run_pgmigrate rehearse --probe-tenants
    assert_status 2
    assert_stderr "rls --suggest"
}
