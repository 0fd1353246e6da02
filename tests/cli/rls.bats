# SPDX-License-Identifier: PostgreSQL
# Row-level security: the catalog checks.

load helpers

@test "a table of tenants without row security is found, and rls exits with 3" {
    psql_value "create table orders (id int primary key, tenant_id int not null); create table colours (id int)"
    run_pgmigrate rls --json
    assert_status 3
    assert_equal "$(jq -r '.findings[] | "\(.check) \(.severity) \(.object)"' <<<"$output")" "S1 high public.orders"
    psql_value "alter table orders enable row level security;
                create policy tenant on orders using (tenant_id = current_setting('app.tenant')::int)"
    run_pgmigrate rls --json
    assert_status 0
    assert_equal "$(jq -c .findings <<<"$output")" "[]"
}
