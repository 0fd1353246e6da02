# SPDX-License-Identifier: PostgreSQL
# Row-level security: the catalog checks.

load helpers

@test "a table of tenants without row security is found, and rls exits with 3" {
    # Before PostgreSQL 15 everybody may make tables in it.
    psql_value "revoke create on schema public from public"
    psql_value "create table orders (id int generated always as identity primary key, tenant_id int not null); create table colours (id int)"
    run_pgmigrate rls --json
    assert_status 3
    assert_equal "$(jq -r '.findings[] | select(.check != "S27") | "\(.check) \(.severity) \(.object)"' <<<"$output")" "S1 high public.orders"
    psql_value "alter table orders enable row level security;
                create policy tenant on orders using (tenant_id = nullif(current_setting('app.tenant', true), '')::int)"
    run_pgmigrate rls --json --fail-on high
    assert_status 0
    assert_equal "$(jq -c '[.findings[] | select(.check != "S27")]' <<<"$output")" "[]"
}
