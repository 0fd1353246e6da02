# SPDX-License-Identifier: PostgreSQL
# Row-level security, by attack: each probe on tables where it has to find something, and on sound ones where not.

load helpers

setup()
{
    test_setup
    ROLE=app_$TEST_DATABASE
    application_role "$ROLE"
    psql_value "create schema app; grant usage on schema app to $ROLE"
}

teardown()
{
    drop_test_database
    psql_server "drop role if exists $ROLE, ${ROLE}_owner, ${ROLE}_1, ${ROLE}_2, ${ROLE}_only"
    test_teardown
}

# Statements of psql on the test's database.
sql()
{
    psql -XAtq -v ON_ERROR_STOP=1 -v role="$ROLE" -d "$DATABASE_URL"
}

# What was found by probes: "D1 high app.t", in lines; without info.
found()
{
    jq -r '.findings[] | select((.check | startswith("D")) and .severity != "info") | "\(.check) \(.severity) \(.object)"' \
        <<<"$output" | sort
}

# The finding of a check about an object: a field of it.
finding() # CHECK OBJECT FIELD
{
    jq -r --arg check "$1" --arg object "$2" ".findings[] | select(.check == \$check and .object == \$object) | .$3" <<<"$output"
}

# What was inconclusive: "D3 app.t: reason".
inconclusive()
{
    jq -r '.inconclusive[] | select(.check | startswith("D")) | "\(.check) \(.object): \(.message)"' <<<"$output"
}

# How often a check passed, found something, was not granted, was inconclusive.
counts() # CHECK
{
    jq -r --arg check "$1" '.probes[] | select(.check == $check) | "\(.passed) \(.found) \(.not_granted) \(.inconclusive)"' <<<"$output"
}

@test "names in capitals are probed as others are, and two tenants are two" {
    sql <<'SQL'
create table app."P" ("tenant_id" int not null, "Id" int, primary key (tenant_id, "Id"));
create table app."C" (tenant_id int not null, id int, "Pid" int, primary key (tenant_id, id),
    foreign key (tenant_id, "Pid") references app."P" (tenant_id, "Id") on delete cascade);
alter table app."P" enable row level security;
alter table app."C" enable row level security;
create policy p on app."P" using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
create policy p on app."C" using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
grant select, insert, update, delete on app."P", app."C" to :role;
SQL
    run_pgmigrate rls --probe --json
    [ "$status" -le 3 ]
    assert_equal "$(found)" ""
    assert_equal "$(inconclusive)" ""
    run_pgmigrate rls --probe --json --tenants 1,1
    assert_status 2
    assert_equal "$(json .error.message)" 'probing takes two tenants, not "1" twice'
}

@test "an open table is found by every probe, and statements show how" {
    sql <<'SQL'
create table app.open (id serial primary key, tenant_id int not null, note text);
insert into app.open (tenant_id, note) values (1, 'secret of 1'), (2, 'secret of 2'), (2, 'secret of 2');
grant all on app.open to :role;
grant usage on sequence app.open_id_seq to :role;
SQL
    run_pgmigrate rls --probe --json
    assert_status 3
    assert_equal "$(found | tr '\n' ' ')" "D0 high app.open D1 high app.open D12 high app.open D2 high app.open D3 high app.open \
D4 high app.open D5 high app.open D6 high app.open D7 high app.open "
    assert_equal "$(json '.tenants | join(",")')" "1,2"
    [[ $(finding D1 app.open message) == "tenant 1 reads rows of other tenants ("*"tenant 2)" ]]
    assert_equal "$(finding D1 app.open evidence)" "BEGIN; SET LOCAL ROLE \"$ROLE\"; SELECT pg_catalog.set_config('app.tenant', '1', true); \
SELECT count(*), min(r.tenant_id::pg_catalog.text) FROM app.open AS r WHERE r.tenant_id <> '1'; ROLLBACK;"
    # It does what it says, and nothing else is told of what is in foreign rows.
    assert_equal "$(psql_value "$(finding D1 app.open evidence)" | tail -n 1)" "2|2"
    refute_output secret
    [ "$(json .checked.probes)" -gt 20 ]
    # Nothing is left behind but the sequence's numbers.
    assert_value "select count(*), sum(id) from app.open" "3|6"
}

@test "values of rows that are there are used where nothing else is let in, and never told" {
    sql <<'SQL'
create function app.greets() returns trigger language plpgsql as $$ begin
    if new.greeting not like 'Dear %' then raise 'nobody is greeted so'; end if;
    return new; end $$;
create table app.people (id int generated always as identity primary key, tenant_id int not null, name text not null,
    mail text not null check (mail ~ '^[a-z]+@hopper[.]mil$'));
create table app.letters (id int generated always as identity primary key, tenant_id int not null, greeting text not null);
insert into app.people (tenant_id, name, mail) values (1, 'Grace Hopper', 'grace@hopper.mil'), (2, 'Edsger D', 'edsger@hopper.mil');
insert into app.letters (tenant_id, greeting) values (1, 'Dear Grace'), (2, 'Dear Edsger');
create trigger t before insert on app.letters for each row execute function app.greets();
grant all on app.people, app.letters to :role;
SQL
    run_pgmigrate rls --probe --json
    assert_equal "$(inconclusive)" ""
    for table in people letters; do
        [[ $(found) == *"D3 high app.$table"* ]]
        [[ $(finding D3 app.$table evidence) == *"'…'"* ]]
    done
    for word in Grace Hopper Edsger "@hopper.mil"; do
        refute_output "$word"
    done
    [[ $(finding D3 app.people evidence) == *"'pgmigrate'"* ]]
}

@test "holes that reading back or a WHERE would hide are found" {
    sql <<'SQL'
create function app.tenant() returns int stable language sql as $$ select nullif(current_setting('app.tenant', true), '')::int $$;
create table app.masked_insert (id int generated always as identity primary key, tenant_id int not null);
create policy r on app.masked_insert for select using (tenant_id = app.tenant());
create policy w on app.masked_insert for insert with check (true);
create table app.masked_update (id int generated always as identity primary key, tenant_id int not null, note text);
create policy r on app.masked_update for select using (tenant_id = app.tenant());
create policy w on app.masked_update for update using (tenant_id = app.tenant()) with check (true);
create table app.masked_delete (id int generated always as identity primary key, tenant_id int not null);
create policy r on app.masked_delete for select using (tenant_id = app.tenant());
create policy w on app.masked_delete for delete using (true);
-- Without WITH CHECK, USING is used for new rows, too.
create table app.using_only (id int generated always as identity, tenant_id int not null, primary key (tenant_id, id));
create policy a on app.using_only using (tenant_id = app.tenant());
alter table app.masked_insert enable row level security;
alter table app.masked_update enable row level security;
alter table app.masked_delete enable row level security;
alter table app.using_only enable row level security, force row level security;
grant select, insert on app.masked_insert to :role;
grant select, update on app.masked_update to :role;
grant select, delete on app.masked_delete to :role;
grant select, insert, update, delete on app.using_only to :role;
SQL
    run_pgmigrate rls --probe --json
    assert_status 3
    assert_equal "$(found)" "D3 high app.masked_insert
D4 high app.masked_update
D5 high app.masked_delete"
    assert_equal "$(inconclusive)" ""
    merge=
    [ "$(server_major)" -lt 15 ] || merge="; inserts rows of other tenants by MERGE"
    assert_equal "$(finding D3 app.masked_insert message)" \
        "tenant 2000000001 inserts rows of other tenants (of tenant 2000000002)$merge"
    assert_equal "$(finding D4 app.masked_update message)" \
        "tenant 2000000001 gives rows of its own to other tenants by an UPDATE that reads no column (of tenant 2000000002)"
    assert_equal "$(finding D5 app.masked_delete message)" \
        "tenant 2000000001 deletes rows of other tenants by a DELETE that reads no column (of tenant 2000000002)"
}

@test "a guard for an empty setting, an immutable helper and a leaking view are found" {
    sql <<'SQL'
create function app.tenant() returns int stable language sql as $$ select nullif(current_setting('app.tenant', true), '')::int $$;
create function app.frozen() returns int immutable language sql as
    $$select nullif(current_setting('app.tenant', true), '')::int$$;
create table app.guarded (id int generated always as identity primary key, tenant_id int not null);
create policy a on app.guarded using (coalesce(current_setting('app.tenant', true), '') = '' or tenant_id = app.tenant());
create table app.frozen (id int generated always as identity primary key, tenant_id int not null);
create policy a on app.frozen using (tenant_id = app.frozen());
create table app.sound (id int generated always as identity primary key, tenant_id int not null);
create policy a on app.sound using (tenant_id = app.tenant());
-- ''::int is an error, which is as good as no rows.
create table app.failing (id int generated always as identity primary key, tenant_id int not null);
create policy a on app.failing using (tenant_id = current_setting('app.tenant')::int);
alter table app.guarded enable row level security;
alter table app.frozen enable row level security;
alter table app.sound enable row level security;
alter table app.failing enable row level security;
create view app.leaking as select * from app.sound where tenant_id = app.tenant();
create view app.tight with (security_barrier) as select * from app.sound where tenant_id = app.tenant();
grant select on all tables in schema app to :role;
SQL
    run_pgmigrate rls --probe --json
    assert_status 3
    assert_equal "$(found)" "D14 high app.frozen
D15 high view app.leaking
D2 high app.guarded"
    assert_equal "$(inconclusive)" ""
    assert_equal "$(finding D2 app.guarded message)" "reads rows of tenants though its setting was never set (4 rows, such as of \
tenant 2000000001); reads rows of tenants though its setting is empty, as after SET LOCAL and COMMIT"
}

@test "rows are found through views, materialized views, partitions, children and functions" {
    sql <<'SQL'
create function app.tenant() returns int stable language sql as $$ select nullif(current_setting('app.tenant', true), '')::int $$;
create table app.base (id serial primary key, tenant_id int not null);
create table app.parts (id int not null, tenant_id int not null, primary key (tenant_id, id)) partition by hash (id);
create table app.part_0 partition of app.parts for values with (modulus 1, remainder 0);
create table app.child () inherits (app.base);
insert into app.base (tenant_id) values (1), (2);
insert into app.child (tenant_id) values (1), (2);
create policy a on app.base using (tenant_id = app.tenant());
create policy a on app.parts using (tenant_id = app.tenant());
alter table app.base enable row level security;
alter table app.parts enable row level security;
create view app.definer as select * from app.base;
create materialized view app.kept as select * from app.base;
create function app.all_rows() returns setof app.base security definer stable language sql as 'select * from app.base';
create function app.columns(wanted int default 0) returns table (tenant_id int, other text) security definer language sql
    as $$select tenant_id, 'x' from app.base$$;
create function app.invoker() returns setof app.base stable language sql as 'select * from app.base';
-- Who owns it is subject to the policy, so that it shows no more than its owner may see.
SQL
    sql <<SQL
create role ${ROLE}_owner;
grant usage, create on schema app to ${ROLE}_owner;
grant select on app.base to ${ROLE}_owner;
set role ${ROLE}_owner;
create view app.poor_owner as select * from app.base;
reset role;
grant select on all tables in schema app to $ROLE;
SQL
    run_pgmigrate rls --probe --json
    assert_status 3
    assert_equal "$(found | grep ^D8)" "D8 high app.child
D8 high app.part_0
D8 high function app.all_rows()
D8 high function app.columns()
D8 high materialized view app.kept
D8 high view app.definer"
    refute_output '"object": "function app.invoker'
    assert_equal "$(found | grep -c 'app.base\|app.parts\|poor_owner')" 0
}

@test "foreign keys, unique keys, and roles that lead out are told" {
    sql <<'SQL'
create function app.tenant() returns int stable language sql as $$ select nullif(current_setting('app.tenant', true), '')::int $$;
create table app.orders (id int primary key, tenant_id int not null);
create table app.lines (id int, tenant_id int not null, order_id int not null references app.orders on delete cascade,
    primary key (tenant_id, id));
create table app.notes (id int, tenant_id int not null, order_id int references app.orders on delete set null,
    primary key (tenant_id, id));
create table app.sound (id int, tenant_id int not null, primary key (tenant_id, id));
create table app.sound_lines (id int, tenant_id int not null, sound_id int not null, primary key (tenant_id, id),
    foreign key (tenant_id, sound_id) references app.sound (tenant_id, id) on delete cascade);
create policy a on app.orders using (tenant_id = app.tenant());
create policy a on app.lines using (tenant_id = app.tenant());
create policy a on app.notes using (tenant_id = app.tenant());
create policy a on app.sound using (tenant_id = app.tenant());
create policy a on app.sound_lines using (tenant_id = app.tenant());
alter table app.orders enable row level security;
alter table app.lines enable row level security;
alter table app.notes enable row level security;
alter table app.sound enable row level security;
alter table app.sound_lines enable row level security;
grant select, insert, update, delete on all tables in schema app to :role;
SQL
    sql <<SQL
create role ${ROLE}_owner;
grant ${ROLE}_owner to $ROLE;
grant usage, create on schema app to ${ROLE}_owner;
alter table app.sound owner to ${ROLE}_owner;
SQL
    run_pgmigrate rls --probe --json
    assert_status 3
    assert_equal "$(found | grep 'D1[01]')" "D10 medium app.lines
D10 medium app.notes
D11 medium role $ROLE"
    assert_equal "$(inconclusive)" ""
    assert_equal "$(finding D10 app.lines message)" \
        "tenant 2000000001 deletes rows of other tenants that refer to its own, by foreign key lines_order_id_fkey"
    assert_equal "$(finding D9 app.orders severity)" info
    [[ $(finding D9 app.lines message) == *"makes rows that refer to rows of other tenants" ]]
    assert_equal "$(finding D9 app.sound_lines check)" ""
    # A member of an owner without FORCE sees all, and may switch policies off.
    assert_equal "$(finding D1 app.sound severity)" high
    assert_equal "$(finding D12 app.sound severity)" high
}

@test "a tenant that cannot see all of its own rows is told, and so is what cannot be decided" {
    sql <<'SQL'
create function app.tenant() returns int stable language sql as $$ select nullif(current_setting('app.tenant', true), '')::int $$;
create table app.partly (id int generated always as identity primary key, tenant_id int not null, hidden bool not null default false);
insert into app.partly (tenant_id) values (1), (2);
insert into app.partly (tenant_id, hidden) values (1, true);
create policy a on app.partly using (tenant_id = app.tenant() and not hidden);
create table app.closed (id int generated always as identity primary key, tenant_id int not null);
create table app.unseedable (id int primary key, tenant_id int not null, code text not null check (code ~ '^[A-Z]{3}-\d{4}$'));
create policy a on app.unseedable using (tenant_id = app.tenant());
create table app.no_insert (id int generated always as identity primary key, tenant_id int not null);
create policy a on app.no_insert for select using (tenant_id = app.tenant());
alter table app.partly enable row level security;
alter table app.closed enable row level security;
alter table app.unseedable enable row level security;
alter table app.no_insert enable row level security;
grant select on all tables in schema app to :role;
grant insert on app.no_insert to :role;
SQL
    run_pgmigrate rls --probe --json
    assert_status 3
    assert_equal "$(found)" "D1 low app.partly
D1 medium app.closed"
    assert_equal "$(finding D1 app.partly message)" "tenant 1 does not see all of its own rows (2 of 3)"
    [[ $(inconclusive) == *'D3 app.unseedable: no rows could be made to probe with: new row for relation "unseedable" violates check constraint "unseedable_code_check"'* ]]
    [[ $(inconclusive) == *"D3 app.no_insert: tenant 1 cannot do it with its own rows either, so that a denial shows nothing"* ]]
    # Neither denied nor allowed: nothing was granted.
    assert_equal "$(counts D6)" "0 0 8 0"
}

@test "a sound schema gives no finding and nothing inconclusive" {
    sql <<'SQL'
create function app.tenant() returns int stable language sql as $$ select nullif(current_setting('app.tenant', true), '')::int $$;
create type app.state as enum ('new', 'done');
create domain app.money as numeric check (value >= 10);
create table app.tenants (id int primary key, name text not null unique);
create table app.users (tenant_id int not null references app.tenants, id int generated always as identity,
    email varchar(40) not null, boss int, active bool not null default true,
    primary key (tenant_id, id), unique (tenant_id, email), foreign key (tenant_id, boss) references app.users (tenant_id, id));
create table app.profiles (tenant_id int not null, user_id int not null, about text, primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade);
create table app.orders (tenant_id int not null references app.tenants, id int not null, user_id int not null,
    state app.state not null, price app.money not null, twice numeric generated always as (price * 2) stored,
    kind text not null check (kind in ('retail', 'bulk')), pieces int not null check (pieces between 5 and 7),
    code char(3) not null check (length(code) = 3), tags text[] not null, data jsonb not null, at timestamptz not null,
    until timestamptz not null, check (until > at), primary key (tenant_id, id),
    foreign key (tenant_id, user_id) references app.users (tenant_id, id));
create table app.lines (tenant_id int not null, order_id int not null, line int not null, note text, primary key (tenant_id, order_id, line),
    foreign key (tenant_id, order_id) references app.orders (tenant_id, id) on delete cascade);
create table app.events (tenant_id int not null, at date not null, id int not null, primary key (tenant_id, at, id)) partition by range (at);
create table app.events_old partition of app.events for values from (minvalue) to ('2000-01-01');
create table app.events_new partition of app.events default;
create table app.forced (tenant_id int not null, id uuid primary key default gen_random_uuid());
create table app.stamped (tenant_id int not null default nullif(current_setting('app.tenant', true), '')::int, id serial, note text,
    primary key (tenant_id, id));
do $$
declare t text;
begin
    foreach t in array '{users,profiles,orders,lines,events,forced,stamped}'::text[] loop
        execute format('create policy a on app.%s using (tenant_id = app.tenant())', t);
        execute format('create policy b on app.%s as restrictive using (tenant_id is not null)', t);
        execute format('alter table app.%s enable row level security, force row level security', t);
        execute format('grant select, insert, update, delete on app.%s to public', t);
    end loop;
end $$;
create function app.on_user() returns trigger language plpgsql as
    $$begin insert into app.stamped (tenant_id, note) values (new.tenant_id, current_user); return new; end$$;
create trigger t after insert on app.users for each row execute function app.on_user();
grant usage on all sequences in schema app to :role;
create view app.invoker as select * from app.orders;
SQL
    [ "$(server_major)" -lt 15 ] || psql_value "alter view app.invoker set (security_invoker); grant select on app.invoker to $ROLE"
    # The minor version of the server is not the schema's fault.
    run_pgmigrate rls --probe --json --exempt app.tenants --fail-on high
    assert_equal "$(found)" ""
    assert_equal "$(inconclusive)" ""
    assert_status 0
    assert_equal "$(json '[.findings[] | select(.severity != "info" and .check != "S27")] | length')" 0
    for check in D0 D1 D2 D3 D4 D5 D7 D12 D14 D15; do
        [ "$(json ".probes[] | select(.check == \"$check\") | .passed")" -gt 7 ]
    done
    assert_value "select (select count(*) from app.users) + (select count(*) from app.orders) + (select count(*) from app.stamped)
        + (select count(*) from app.tenants)" 0
}

# Two tables with policies of one kind, one of which lets others read: what is found is D1 of the broken one.
assert_isolation_is_judged() # ARGUMENT…
{
    run_pgmigrate rls --probe --json "$@"
    assert_status 3
    assert_equal "$(finding D1 app.broken severity)" high
    assert_equal "$(jq -r '[.findings[] | select((.check | startswith("D")) and .severity != "info" and .object == "app.sound")] | length' <<<"$output")" 0
    [ "$(jq -r '.probes[] | select(.check == "D1") | .passed' <<<"$output")" -ge 1 ]
    assert_equal "$(jq -r '[.inconclusive[] | select(.check == "D1")] | length' <<<"$output")" 0
}

@test "a tenant is known by a claim in a JSON setting, and the tenants by a query" {
    sql <<'SQL'
create table app.accounts (id int primary key, live bool);
insert into app.accounts values (1, false), (5, true), (9, true);
create function app.claim() returns int language sql stable as
    $$select (nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app' ->> 'tenant_id')::int$$;
create table app.sound (tenant_id int not null, id int, primary key (tenant_id, id));
create table app.broken (like app.sound including all);
insert into app.sound values (1, 1), (5, 1), (9, 1), (9, 2);
insert into app.broken select * from app.sound;
alter table app.sound enable row level security;
alter table app.broken enable row level security;
create policy p on app.sound using (tenant_id = (select app.claim()));
create policy p on app.broken for select using (tenant_id >= (select app.claim()));
grant select on app.sound, app.broken to :role;
SQL
    cat >pgmigrate.conf <<CONF
[rls]
schemas = app
roles = $ROLE
exempt = app.accounts
tenant_set.request.jwt.claims = {"app": {"tenant_id": "{tenant}"}}
tenants_query = SELECT id FROM app.accounts WHERE live ORDER BY id
CONF
    assert_isolation_is_judged
    # The tenants are those of the query: tenant 5 is shown what belongs to 9.
    [[ $(finding D1 app.broken evidence) == *'"tenant_id": "5"'* ]]
    sed -i 's/^tenants_query.*/tenants_query = SELECT 1/' pgmigrate.conf
    run_pgmigrate rls --probe
    assert_status 2
    assert_stderr '"tenants_query" does not answer two tenants'
}

@test "each tenant has a role of its own" {
    psql_server "create role ${ROLE}_1; create role ${ROLE}_2; grant ${ROLE}_1, ${ROLE}_2 to $ROLE"
    sql <<'SQL'
create table app.sound (tenant_id text not null, id int, primary key (tenant_id, id));
create table app.broken (like app.sound including all);
insert into app.sound select t, 1 from unnest(array['1', '2']) as t;
insert into app.broken select * from app.sound;
alter table app.sound enable row level security;
alter table app.broken enable row level security;
create policy p on app.sound using (current_user ~ ('_' || tenant_id || '$'));
create policy p on app.broken using (current_user ~ '_[12]$');
SQL
    psql_value "grant usage on schema app to ${ROLE}_1, ${ROLE}_2; grant select on app.sound, app.broken to ${ROLE}_1, ${ROLE}_2"
    printf '[rls]\nschemas = app\nroles = %s\ntenant_role = %s_{tenant}\ntenants = 1, 2\n' "$ROLE" "$ROLE" >pgmigrate.conf
    assert_isolation_is_judged
}

@test "where there are no tenants they are made, and gone afterwards" {
    sql <<'SQL'
create table app.sound (tenant_id uuid not null, id int generated always as identity, primary key (tenant_id, id));
create table app.broken (tenant_id uuid not null, id int generated always as identity, primary key (tenant_id, id));
alter table app.sound enable row level security;
alter table app.broken enable row level security;
create policy p on app.sound using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
create policy p on app.broken using (tenant_id is not null);
grant select, insert, update, delete on app.sound, app.broken to :role;
SQL
    printf 'tenants = make\n' >>pgmigrate.conf
    assert_isolation_is_judged
    assert_value "select (select count(*) from app.sound) + (select count(*) from app.broken)" 0
}
