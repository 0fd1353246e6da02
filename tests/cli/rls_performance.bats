# SPDX-License-Identifier: PostgreSQL
# Row-level security: what policies cost, as the server would read the tables.

load helpers

setup()
{
    test_setup
    APP=${TEST_DATABASE}_app
    psql_server "create role $APP login"
}

teardown()
{
    drop_test_database
    psql_server "drop role if exists $APP"
    test_teardown
}

@test "large tables whose policies defeat indexes are told with the line of the plan; small and sound ones are not" {
    psql -XAtq -v ON_ERROR_STOP=1 -v app="$APP" -d "$DATABASE_URL" >/dev/null <<'SQL'
create function tenant() returns int language sql stable as $$select nullif(current_setting('app.tenant', true), '')::int$$;
create function tenant_plpgsql() returns int language plpgsql stable as $$begin return tenant(); end$$;
create procedure make(name text, index bool, policy text, count int default 40000) language plpgsql as $$
begin
    execute format('create table %I (tenant_id int not null, id int generated always as identity, note text, admin bool)', name);
    execute format('insert into %I (tenant_id, note) select i %% 500, repeat(''x'', 200) from generate_series(1, %s) as i', name, count);
    if index then execute format('create index on %I (tenant_id)', name); end if;
    execute format('alter table %I enable row level security', name);
    execute format('create policy p on %I using (%s)', name, policy);
    execute format('analyze %I', name);
end$$;
call make('ok', true, '(tenant_id = (select tenant()))');
call make('ok_bare', true, $$tenant_id = nullif(current_setting('app.tenant', true), '')::int$$);
call make('ok_wrapped', true, '(tenant_id = (select public.tenant_plpgsql()))');
call make('ok_small', false, 'tenant_id = public.tenant_plpgsql()', 100);
call make('p1', false, $$tenant_id = nullif(current_setting('app.tenant', true), '')::int$$);
call make('p9', false, 'tenant_id = public.tenant_plpgsql()');
call make('p2', false, 'tenant_id = (select tenant())');
call make('p3', true, $$tenant_id::text = (select current_setting('app.tenant', true))$$);
call make('p4', true, $$tenant_id = (select tenant()) or note = (select current_setting('app.note', true))$$);
create function tenant_volatile() returns int language plpgsql as $$begin return tenant(); end$$;
call make('p5', true, 'tenant_id = public.tenant_volatile()');
call make('p7', true, '(tenant_id = (select tenant()))');
alter table p7 add column price numeric, add column facts jsonb, add column day date;
create index p7_price on p7 (price);
create index p7_facts on p7 using gin (facts);
create index p7_of_tenant on p7 (tenant_id, price);
create unique index p7_unique on p7 (price, id);
create index p7_day on p7 (day);
create index p7_note on p7 (note);
alter table ok_small add column price numeric;
create index on ok_small (price);
create table members (tenant int, login text);
call make('p8', true, $$exists (select from members as m where m.tenant <= tenant_id)$$);
create policy q on p2 using (tenant_id = (select tenant()) and admin);
create table again (tenant_id int not null);
alter table again enable row level security;
create policy p on again using (tenant_id in (select a.tenant_id from again as a));
grant select on all tables in schema public to :app;
SQL
    run_pgmigrate rls --json --role "$APP" --tenant-setting app.tenant
    assert_equal "$(json '.findings[] | select(.check | test("^(P|D)")) | "\(.check) \(.severity) \(.object)"' | sort)" \
        "D13 high public.again
P1 low public.p1
P2 low public.p1
P2 low public.p2
P2 low public.p9
P3 low public.p3
P4 low public.p4
P5 low public.p5
P6 low public.p2
P7 low public.p7
P7 low public.p7
P8 low public.p8
P9 low public.p9"
    # "$0", and from PostgreSQL 17 on "(InitPlan 1).col1".
    [[ $(json '.findings[] | select(.check == "P3") | .evidence') == "Filter: ((tenant_id)::text = "*")" ]]
    [[ $(json '.findings[] | select(.check == "P2" and .object == "public.p2") | .message') == *"(table of "*" kB)" ]]
    assert_equal "$(json '.findings[] | select(.check == "P7") | .message | sub(" \\(.*"; "")')" \
        "no condition of a tenant can use the index p7_facts
no condition of a tenant can use the index p7_price"
    [[ $(json '.findings[] | select(.check == "P5") | .evidence') == "Filter: (tenant_id = tenant_volatile())" ]]
    # Nothing of this is asked where only catalogs are wanted.
    run_pgmigrate rls --json --role "$APP" --tenant-setting app.tenant --static-only
    assert_equal "$(json '[.findings[] | select(.check | test("^(P|D)"))] | length')" 0
}
