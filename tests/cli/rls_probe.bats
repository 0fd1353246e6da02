# SPDX-License-Identifier: PostgreSQL
# Row-level security, by attack: each probe on tables where it has to find something, and on sound ones where not.

load helpers

setup()
{
    test_setup
    ROLE=app_$TEST_DATABASE
    cat >pgmigrate.conf <<CONF
[rls]
roles = $ROLE
tenant_setting = app.tenant
CONF
    psql_value "create role $ROLE login; create schema app; grant usage on schema app to $ROLE"
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

@test "holes that reading back or a WHERE would hide are found" {
    sql <<'SQL'
create function app.tenant() returns int stable language sql return nullif(current_setting('app.tenant', true), '')::int;
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
    assert_equal "$(finding D3 app.masked_insert message)" \
        "tenant 2000000001 inserts rows of other tenants (of tenant 2000000002); inserts rows of other tenants by MERGE"
    assert_equal "$(finding D4 app.masked_update message)" \
        "tenant 2000000001 gives rows of its own to other tenants by an UPDATE that reads no column (of tenant 2000000002)"
    assert_equal "$(finding D5 app.masked_delete message)" \
        "tenant 2000000001 deletes rows of other tenants by a DELETE that reads no column (of tenant 2000000002)"
}
