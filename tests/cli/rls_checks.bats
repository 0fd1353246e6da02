# SPDX-License-Identifier: PostgreSQL
# Row-level security: each catalog check on a database that is broken, and on one that is sound.

load helpers

setup()
{
    test_setup
    APP=${TEST_DATABASE}_app
    OWNER=${TEST_DATABASE}_owner
    psql_server "create role $APP login; create role $OWNER; grant $OWNER to postgres"
}

teardown()
{
    drop_test_database
    psql_server "drop role if exists $APP, ${APP}_anon, $OWNER, ${TEST_DATABASE}_boss, ${TEST_DATABASE}_weak, ${TEST_DATABASE}_dump"
    test_teardown
}

# Statements as the owner; :app is the application's role.
build()
{
    psql -XAtq -v ON_ERROR_STOP=1 -v app="$APP" -v anon="${APP}_anon" -v owner="$OWNER" -d "$DATABASE_URL" -f - >/dev/null
}

# "S1 high core.t [role]" in lines, without what the server's version is to blame for, and without the roles' names.
found()
{
    json '.findings[] | select(.check != "S27") | "\(.check) \(.severity) \(.object) \(.role // "")"' |
        sed "s/$TEST_DATABASE//g; s/ *$//" | sort -V
}

assert_found() # LINES
{
    assert_equal "$(found)" "$(sort -V <<<"$1")"
}

verify() # ARGUMENT…
{
    run_pgmigrate rls --json --role "$APP" --exempt core.tenants,core.colours,core.shared "$@"
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || { show_result; false; }
}

# A table of tenants with everything it should have.
sound_functions()
{
    cat <<'SQL'
set client_min_messages = warning;
create schema core authorization :owner;
grant usage on schema core to :app;
set role :owner;
create table core.tenants (id int primary key, name text);
create table core.colours (id int primary key, name text);
grant select on core.tenants, core.colours to :app;
create function core.tenant() returns int language sql stable as $$select nullif(current_setting('app.tenant', true), '')::int$$;
-- Row security and one right policy; and the same with another expression.
create procedure core.protect(name text) language plpgsql as $$
begin
    execute format('alter table core.%I enable row level security', name);
    execute format('create policy tenant on core.%I using (tenant_id = (select core.tenant()))', name);
    execute format('grant select, insert, update, delete on core.%I to %I', name, current_setting('test.app'));
end$$;
create procedure core.policy(name text, rest text) language plpgsql as $$
begin
    call core.plain(name);
    execute format('alter table core.%I enable row level security', name);
    execute format('create policy p on core.%I ', name) || rest;
end$$;
create procedure core.plain(name text) language plpgsql as $$
begin
    execute format('create table core.%I (tenant_id int not null references core.tenants,
        id bigint generated always as identity, note text, primary key (tenant_id, id))', name);
end$$;
SQL
    printf "set test.app = '%s';\n" "$APP"
}

@test "tables and policies that are wrong are found by name, and what is right beside them is not" {
    { sound_functions; cat <<'SQL'; } | build
set check_function_bodies = off;
call core.plain('s1');
create table core.s2 (tenant_id int not null, i int, primary key (tenant_id, i)) partition by list (tenant_id);
create policy p on core.s2 using (tenant_id = core.tenant());
create table core."S3 none" (tenant_id int not null);
alter table core."S3 none" enable row level security;
call core.policy('s3_restrictive', 'as restrictive using (tenant_id = core.tenant())');
-- The server takes a missing USING as false: this shows nothing, and is no open door (S7).
call core.policy('s3_no_using', 'for select');
call core.policy('s7_true', 'using (true)');
call core.policy('s7_words', $$using ('a' = 'a')$$);
call core.policy('s7_same', 'using (tenant_id = tenant_id)');
call core.policy('s7_or', 'using (tenant_id = core.tenant() or true)');
call core.policy('s7_check', 'using (tenant_id = core.tenant()) with check (true)');
-- INSERT without WITH CHECK lets nothing in, UPDATE and ALL without it use USING: nothing to find here.
call core.policy('ok_insert', 'for insert');
create policy q on core.ok_insert for select using (tenant_id = core.tenant());
call core.policy('ok_update', 'using (tenant_id = core.tenant())');
call core.policy('s8', $$using (note = 'open')$$);
call core.policy('ok_s8', $$using (note = 'open')$$);
create policy q on core.ok_s8 as restrictive using (tenant_id = core.tenant());
call core.policy('ok_member', $$using (exists (select from core.tenants as t where t.name = note))$$);
call core.policy('s8_or', $$using (tenant_id = core.tenant() or note = 'open')$$);
call core.policy('s8_admin', $$using (tenant_id = core.tenant() or current_setting('app.admin', true) = 'on')$$);
call core.policy('s8_both', $$using ((tenant_id = core.tenant() or note = 'open') and (tenant_id = core.tenant() or id > 5))$$);
call core.policy('ok_or_both', $$using (tenant_id = core.tenant() and (note = 'open' or note = 'seen'))$$);
call core.policy('ok_or_guarded', $$using (tenant_id = core.tenant() or note = 'open')$$);
create policy q on core.ok_or_guarded as restrictive using (tenant_id = core.tenant());
create table core.shared (tenant_id int, name text);
create policy none on core.shared using (false);
call core.policy('s8_shadowed', $$using (tenant_id = core.tenant()) with check (exists
    (select from core.shared as s where s.tenant_id = tenant_id and s.name = note))$$);
call core.policy('s9', 'using (tenant_id = core.tenant()) with check (note is not null)');
call core.policy('s10_null', $$using (core.tenant() is null or tenant_id = core.tenant())$$);
call core.policy('s10_empty', $$using (nullif(current_setting('app.t', true), '') is null or tenant_id = core.tenant())$$);
call core.policy('s10_coalesce', $$using (tenant_id = coalesce(core.tenant(), tenant_id))$$);
call core.policy('s10_case', $$using (case when core.tenant() is null then true else tenant_id = core.tenant() end)$$);
call core.policy('ok_distinct', 'using (tenant_id is not distinct from core.tenant())');
call core.policy('s10_distinct', 'using (tenant_id is not distinct from core.tenant())');
alter table core.s10_distinct drop constraint s10_distinct_pkey, alter tenant_id drop not null;
call core.policy('ok_s10', $$using ((core.tenant() is null or note = 'x') and tenant_id = core.tenant())$$);
call core.policy('s11_raises', $$using (tenant_id = (select current_setting('app.tenant')::int))$$);
call core.policy('s11_cast', $$using (tenant_id = current_setting('app.tenant', true)::int)$$);
call core.policy('s11_name', $$using (tenant_id = nullif(current_setting('server_version_num', true), '')::int)$$);
call core.policy('s12', 'using (tenant_id = hashtext(current_user))');
call core.policy('s13', 'using (tenant_id = 7)');
call core.policy('s13_like', $$using (tenant_id::text like current_setting('app.tenant', true))$$);
create table core.s14 (tenant_id int);
call core.protect('s14');
create table core.s15 (tenant_id int not null, email text unique, code uuid unique, number int generated always as identity unique);
call core.protect('s15');
create table core.s16_parent (tenant_id int not null, id bigint generated always as identity primary key);
call core.protect('s16_parent');
create table core.s16_low (tenant_id int not null, parent bigint references core.s16_parent);
call core.protect('s16_low');
create table core.s16_medium (tenant_id int not null, parent bigint references core.s16_parent on delete cascade);
call core.protect('s16_medium');
call core.plain('s17');
call core.protect('s17');
grant truncate on core.s17 to public;
call core.plain('s17_medium');
call core.protect('s17_medium');
grant trigger, references (note) on core.s17_medium to :app;
create table core.s18 (tenant_id int not null, id int, primary key (tenant_id, id)) partition by list (tenant_id);
call core.protect('s18');
create table core.s18_open partition of core.s18 for values in (1);
create table core.ok_partition partition of core.s18 for values in (2);
grant select (id) on core.s18_open to :app;
create table core.s18_child () inherits (core.s17);
grant insert on core.s18_child to :app;
call core.policy('s26', 'using (tenant_id = core.tenant())');
create policy q on core.s26 using (tenant_id = core.tenant());
create policy r on core.s26 using (tenant_id = core.tenant());
SQL
    verify
    assert_found "P6 low core.s26
S1 high core.s1
S2 high core.s2
S3 medium core.\"S3 none\"
S3 medium core.s3_no_using
S3 medium core.s3_restrictive
S7 high policy p on core.s7_check
S7 high policy p on core.s7_or
S7 high policy p on core.s7_same
S7 high policy p on core.s7_true
S7 high policy p on core.s7_words
S8 medium policy p on core.s7_words
S8 medium policy p on core.s8
S8 high policy p on core.s8_shadowed
S8 low policy p on core.s8_admin
S8 medium policy p on core.s8_both
S8 medium policy p on core.s8_or
S9 high policy p on core.s9
S10 high policy p on core.s10_case
S10 high policy p on core.s10_coalesce
S10 high policy p on core.s10_distinct
S10 high policy p on core.s10_empty
S10 high policy p on core.s10_null
S11 low policy p on core.s11_cast
S11 low policy p on core.s11_raises
S11 medium policy p on core.s11_name
S12 medium policy p on core.s12
S13 medium policy p on core.s13
S13 medium policy p on core.s13_like
S14 low core.s10_distinct
S14 low core.s14
S15 low core.s15
S16 low core.s16_low
S16 medium core.s16_medium
S17 high core.s17 _app
S17 medium core.s17_medium _app
S18 high core.s18_child _app
S18 high core.s18_open _app
S26 low policy q on core.s26
S26 low policy r on core.s26"
    # What is given as remedy is SQL: the simple ones take their findings away.
    json '.findings[] | select(.check == "S2" or .check == "S14" or .check == "S17") | .hint' >remedy.sql
    psql -Xq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -f remedy.sql
    verify
    assert_equal "$(found | grep -c "^S2 \|^S14 \|^S17 ")" 0
}

@test "roles that stand above policies are found, and rights that are not used are not" {
    psql_server "create role ${TEST_DATABASE}_boss; grant ${TEST_DATABASE}_boss to $APP;
        create role ${TEST_DATABASE}_weak bypassrls; grant ${TEST_DATABASE}_weak to $APP"
    { sound_functions; cat <<'SQL'; } | build
call core.plain('s4');
call core.protect('s4');
call core.plain('forced');
call core.protect('forced');
alter table core.forced force row level security;
call core.plain('other');
call core.protect('other');
reset role;
grant usage, create on schema core to :"app" with grant option;
SQL
    psql_value "grant create on schema core to ${TEST_DATABASE}_boss; alter table core.s4 owner to ${TEST_DATABASE}_boss;
        alter table core.forced owner to ${TEST_DATABASE}_boss"
    verify
    assert_equal "$(found)" "S4 high core.s4 _app
S5 high role _app _app"
    verify --static-only
    assert_equal "$(found | wc -l)" 2
    # As a superuser it is one finding, not one for each table.
    psql_server "alter role $APP superuser; revoke ${TEST_DATABASE}_weak, ${TEST_DATABASE}_boss from $APP"
    verify
    assert_equal "$(found)" "S5 high role _app _app"
}

@test "what is wrong with views, functions, rights to come and publications is found" {
    { sound_functions; cat <<'SQL'; } | build
call core.plain('orders');
call core.protect('orders');
call core.plain('forced');
call core.protect('forced');
alter table core.forced force row level security;
create view core.s19 as select * from core.orders;
create view core.s19_above as select * from core.s19;
create view core.ok_forced as select * from core.forced;
create view core.ok_unused as select * from core.orders;
grant select on core.s19, core.s19_above, core.ok_forced to :app;
create view core.inbox as select tenant_id, note from core.colours, (select 1 as tenant_id, '' as note) as x;
create rule s19_insert as on insert to core.inbox do instead insert into core.orders (tenant_id, note) values (new.tenant_id, new.note);
create rule ok_update as on update to core.inbox do instead update core.orders set note = new.note;
create rule ok_delete as on delete to core.inbox do instead nothing;
grant insert on core.inbox to :app;
create materialized view core.s20 as select * from core.orders;
grant select on core.s20 to :app;
create function core.s21() returns bigint language sql security definer set search_path = core as 'select count(*) from orders';
create function core.s21_capitals() returns bigint language sql security definer set search_path = core as 'SELECT count(*) FROM ORDERS';
create function core.s21_path() returns int language sql security definer as 'select 1';
create function core.ok_definer() returns int language sql security definer set search_path = pg_catalog as 'select 1';
create function core.ok_revoked() returns bigint language sql security definer as 'select count(*) from core.orders';
revoke execute on function core.ok_revoked() from public;
create function core.s22() returns int language sql immutable as $$select nullif(current_setting('app.tenant', true), '')::int$$;
create function core.s22_wrapper() returns int language sql immutable as 'select core.tenant()';
create function core.ok_constant() returns int language sql immutable as 'select 7';
create function core.s22_volatile() returns int language plpgsql as $$begin return core.tenant(); end$$;
call core.policy('s22', 'using (tenant_id = core.s22() and tenant_id = core.s22_volatile() and tenant_id <> core.ok_constant())');
call core.policy('s22_wrapped', 'using (tenant_id = core.s22_wrapper())');
create table core.members (login text, tenant int);
grant insert on core.members to :app;
call core.policy('s23', 'using (tenant_id in (select m.tenant from core.members as m where m.login = current_user))');
alter default privileges in schema core grant select on tables to :app;
grant create on schema core to public;
reset role;
create publication s25 for table core.orders;
SQL
    psql_value "create publication ${TEST_DATABASE}_colours for table core.colours"
    verify
    assert_found "S12 medium policy p on core.s23
S19 high rule s19_insert on core.inbox _app
S19 high view core.s19 _app
S19 high view core.s19_above _app
S20 medium materialized view core.s20 _app
S21 high function core.s21() _app
S21 high function core.s21_capitals() _app
S21 medium function core.s21_path() _app
S22 high function core.s22()
S22 high function core.s22_wrapper()
S22 low function core.s22_volatile()
S23 high policy p on core.s23 _app
S24 low default privileges of _owner in schema core _app
S24 low schema core PUBLIC
S25 low core.orders"
}

@test "views of owners to whom the policies apply, and those with security_invoker, are sound" {
    [ "$(server_major)" -ge 15 ] || skip "security_invoker came with PostgreSQL 15"
    psql_server "create role ${TEST_DATABASE}_weak"
    { sound_functions; cat <<'SQL'; } | build
call core.plain('orders');
call core.protect('orders');
create view core.invoker with (security_invoker) as select * from core.orders;
create view core.above with (security_invoker = on) as select * from core.invoker;
create view core.weak as select * from core.orders;
grant select on core.invoker, core.above, core.weak to :app;
create view core.definer_above_invoker as select * from core.invoker;
grant select on core.definer_above_invoker to :app;
SQL
    psql_value "grant select on core.orders, core.invoker to ${TEST_DATABASE}_weak; grant usage, create on schema core to ${TEST_DATABASE}_weak;
        alter view core.weak owner to ${TEST_DATABASE}_weak"
    verify
    assert_equal "$(found)" "S19 high view core.definer_above_invoker _app"
}

@test "a large schema that is sound has no findings: names in quotes, composite keys, uuid and text tenants, parents, partitions" {
    { sound_functions; cat <<'SQL'; } | build
create procedure core.many(count int) language plpgsql as $$
begin
    for i in 1..count loop
        call core.plain('table ' || i);
        call core.protect('table ' || i);
        if i % 3 = 0 then execute format('alter table core.%I force row level security', 'table ' || i); end if;
        if i % 7 = 0 then
            execute format('create policy r on core.%I as restrictive for delete using (note is null)', 'table ' || i);
        end if;
    end loop;
end$$;
call core.many(150);
create table core."Or""ders" ("tenant_id" uuid not null, id uuid default gen_random_uuid(), primary key (tenant_id, id));
alter table core."Or""ders" enable row level security;
create policy "p ""1""" on core."Or""ders" using (tenant_id = (select nullif(current_setting('app.tenant', true), '')::uuid));
create table core.texts (tenant_id text not null, shop_id int not null, id int, primary key (tenant_id, shop_id, id));
alter table core.texts enable row level security;
create policy t on core.texts using (tenant_id = (select nullif(current_setting('app.tenant', true), '')) and shop_id > 0);
-- A table that reaches its tenant through a parent.
create table core.lines (order_tenant uuid not null, order_id uuid not null, line int generated always as identity,
    primary key (order_tenant, order_id, line), foreign key (order_tenant, order_id) references core."Or""ders");
alter table core.lines enable row level security;
create policy l on core.lines using (exists (select from core."Or""ders" as o where (o.tenant_id, o.id) = (order_tenant, order_id)));
create table core.events (tenant_id int not null, at date not null, primary key (tenant_id, at)) partition by range (at);
call core.protect('events');
create table core.events_2026 partition of core.events for values from ('2026-01-01') to ('2027-01-01');
grant select, insert on core."Or""ders", core.texts, core.lines to :app;
SQL
    run_pgmigrate rls --json --role "$APP" --exempt "tenants,core.colours"
    assert_equal "$(found)" ""
    printf '[rls]\nthrough.core.lines = core.Or"ders\nroles = %s\nexempt = core.tenants, core.colours\n' "$APP" >pgmigrate.conf
    run_pgmigrate rls --json
    assert_equal "$(found)" ""
    # Without a name the role is found by what it was granted.
    rm pgmigrate.conf
    run_pgmigrate rls --json --exempt core.tenants
    assert_equal "$(found)" ""
    psql_value 'alter table core.lines disable row level security; drop policy l on core.lines'
    printf '[rls]\nthrough.core.lines = core.Or"ders\n' >pgmigrate.conf
    run_pgmigrate rls --json
    assert_equal "$(found)" "S1 high core.lines"
    assert_equal "$(json '.findings[] | select(.check == "S1") | .evidence')" 'reaches its tenant through core.Or"ders'
}

@test "who is no superuser is told what it could not see, and that its backups fail" {
    psql_server "create role ${TEST_DATABASE}_dump login"
    { sound_functions; cat <<'SQL'; } | build
call core.plain('orders');
call core.protect('orders');
SQL
    psql_value "grant usage on schema core to ${TEST_DATABASE}_dump"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "${TEST_DATABASE}_dump")
    verify
    assert_equal "$(found)" "S28 low role _dump _dump"
    assert_equal "$(json '.inconclusive[] | "\(.check) \(.role)"' | sed "s/$TEST_DATABASE//")" "S6 _app"
    verify --static-only
    assert_equal "$(json '.inconclusive | length')" 0
}

@test "what may only be written through a view, deep partitions, and expressions that say nothing are found" {
    { sound_functions; cat <<'SQL'; } | build
call core.policy('own_views', 'using (tenant_id = (select core.tenant()))');
create view core.written as select * from core.own_views;
grant insert, update, delete on core.written to :app;
create table core.top (tenant_id int not null, day int not null) partition by range (day);
create table core.middle partition of core.top for values from (0) to (100) partition by range (day);
create table core.low partition of core.middle for values from (0) to (50) partition by range (day);
create table core.leaf partition of core.low for values from (0) to (10);
alter table core.top enable row level security;
create policy p on core.top using (tenant_id = (select core.tenant()));
grant select on core.leaf to :app;
call core.policy('not_null', 'using (tenant_id is not null)');
call core.policy('or_not_null', 'using (tenant_id = (select core.tenant()) or id is not null)');
call core.policy('not_true', 'using ((tenant_id <> core.tenant()) is not true)');
call core.policy('length', $$using (tenant_id = (select core.tenant()) or length(current_setting('app.tenant', true)) = 0)$$);
call core.policy('in_list', 'using (tenant_id in (1, 2))');
call core.policy('reversed', 'using (7 = tenant_id)');
create table core.named (tenant_id varchar(20) not null, id int);
alter table core.named enable row level security;
create policy p on core.named using (tenant_id = 'acme');
call core.policy('elsewhere', 'using (exists (select from core.own_views as o where o.tenant_id = core.tenant()))');
call core.policy('expression', 'using (tenant_id = (select core.tenant()))');
create unique index expression_key on core.expression (lower(note));
create unique index included_key on core.expression (note) include (tenant_id);
create procedure core.erase() language sql security definer set search_path = pg_catalog as 'delete from core.own_views';
-- Sound: what is permitted to all is restricted to the tenant, by one policy or by one for each command.
call core.policy('restricted', 'using (true)');
create policy r on core.restricted as restrictive using (tenant_id = (select core.tenant()));
call core.policy('each', 'using (true) with check (true)');
create policy r on core.each as restrictive for select using (tenant_id = (select core.tenant()));
create policy a on core.each as restrictive for insert with check (tenant_id = (select core.tenant()));
create policy w on core.each as restrictive for update using (tenant_id = (select core.tenant()));
create policy d on core.each as restrictive for delete using (tenant_id = (select core.tenant()));
-- Not so: only what is read is restricted.
call core.policy('half', 'using (true)');
create policy r on core.half as restrictive for select using (tenant_id = (select core.tenant()));
reset role;
create schema api;
create view api.elsewhere as select * from core.own_views;
grant usage on schema api to :app;
grant select on api.elsewhere to :app;
SQL
    verify --schemas core
    assert_found "S7 high policy p on core.half
S7 high policy p on core.not_null
S7 high policy p on core.or_not_null
S8 medium policy p on core.elsewhere
S8 medium policy p on core.or_not_null
S10 high policy p on core.length
S10 high policy p on core.not_true
S13 medium policy p on core.in_list
S13 medium policy p on core.named
S13 medium policy p on core.reversed
S15 low core.expression
S15 low core.expression
S18 high core.leaf _app
S19 high view api.elsewhere _app
S19 high view core.written _app
S21 high function core.erase() _app"
    # The remedies run as they are.
    psql_value "$(json '.findings[] | select(.check == "S21") | .hint' | sed 's/; or .*/;/')"
    psql_value "$(json '.findings[] | select(.check == "S21") | .hint' | sed 's/.*; or //')"
}

@test "roles that are taken on by SET ROLE count, and those that reach tables through views alone" {
    { sound_functions; cat <<'SQL'; } | build
call core.plain('orders');
alter table core.orders enable row level security;
create policy p on core.orders using (tenant_id = (select core.tenant()));
create view core.shown as select * from core.orders;
reset role;
alter role :app noinherit;
create role :anon nologin;
grant :anon to :app;
grant select on core.shown to :anon;
grant truncate on core.orders to :anon;
SQL
    run_pgmigrate rls --json
    assert_found "S17 high core.orders _app_anon
S19 high view core.shown _app_anon"
    run_pgmigrate rls --json --role "$APP"
    assert_found "S17 high core.orders _app_anon
S19 high view core.shown _app_anon"
    # Where nobody is found, nothing is said of what roles may do.
    psql_value "drop owned by ${APP}_anon; drop role ${APP}_anon; create role ${APP}_anon; grant usage on schema core to ${APP}_anon"
    run_pgmigrate rls
    assert_stderr "no role of the application was found"
    for check in S4 S6 S17 S19 S21 P1 P8; do
        grep -q "^$check  .*  left out$" <<<"$output"
    done
    grep -q '^S1  .*  passed$' <<<"$output"
    psql_value "drop owned by ${APP}_anon; drop role ${APP}_anon; grant select on core.shown to $APP"
    run_pgmigrate rls --json
    assert_found "S19 high view core.shown _app"
}

@test "a server whose minor version has a hole is told by what mends it" {
    # The minor version that mended each hole, as the release notes have it; 9999: none ever will.
    declare -A mended=([13]="11 17 22 9999 9999" [14]="8 14 19 24 25 25" [15]="3 4 9 14 19 20 20" [16]="5 10 15 16 16"
        [17]="1 6 11 12 12" [18]="6 7 7")
    psql_value "create table t (tenant_id int)" >/dev/null
    run_pgmigrate rls --json
    major=$(server_major)
    minor=$(psql_value "select current_setting('server_version_num')::int % 10000")
    open=0
    for release in ${mended[$major]}; do
        [ "$minor" -ge "$release" ] || open=$((open + 1))
    done
    assert_equal "$(json '[.findings[] | select(.check == "S27")] | length')" "$open"
    [ "$major" = 15 ] || return 0
    # One is accepted without the others.
    echo 'S27 server: CVE-2026-120154 until 2099-01-01: nobody writes ON CONFLICT' >accepted
    run_pgmigrate rls --json --baseline accepted
    expected="server: CVE-2026-120154"
    [ "$minor" -lt 20 ] || expected=
    assert_equal "$(json '.accepted | map(.object) | join(" ")')" "$expected"
}
