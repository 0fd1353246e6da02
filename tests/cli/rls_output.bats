# SPDX-License-Identifier: PostgreSQL
# Row-level security: what the command prints and writes, and what it lets pass.

load helpers

# The server's minor version must not decide what a test finds.
findings() # FILTER of jq, applied to each
{
    jq -r ".findings[] | select(.check != \"S27\") | $1" <<<"$output"
}

# Two open tables, one of them with policies asleep, and one that is sound.
open_tables()
{
    psql_value "create table orders (id int generated always as identity primary key, tenant_id int not null);
                create table \"Odd & <names>\" (id int generated always as identity primary key, tenant_id int not null);
                create table sound (id int generated always as identity primary key, tenant_id int not null);
                alter table sound enable row level security;
                create policy tenant on sound using (tenant_id = nullif(current_setting('app.tenant', true), '')::int)"
}

@test "a finding is one line, with the remedy to paste and the evidence under it" {
    open_tables
    run_pgmigrate rls
    assert_status 3
    assert_equal "$(grep -A 2 '^public.orders: ' <<<"$output")" \
        "public.orders: high: row-level security is off, and the table holds rows of tenants [S1]
    ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY; CREATE POLICY … ON public.orders USING (…);
    evidence: tenant column tenant_id"
    assert_equal "$(grep -c '^public.*: high: .*\[S1\]$' <<<"$output")" 2
    assert_equal "$stderr" ""
}

@test "a table says what every check came to, and the last line how much was looked at" {
    open_tables
    run_pgmigrate rls --static-only
    assert_status 3
    grep -q '^S1  *tables of tenants have row-level security  *2 found$' <<<"$output"
    grep -q '^S2  *policies are in force  *passed$' <<<"$output"
    grep -q '^S6  .*  left out$' <<<"$output"
    [[ ${lines[-1]} == "3 tables of tenants, 0 roles of the application: 2 high"* ]]
    [[ $output != *$'\033'* ]]
}

@test "the most severe comes first, and what is about one object stands together" {
    psql_value "create table a_mild (id int generated always as identity primary key, tenant_id int);
                alter table a_mild enable row level security;
                create policy p on a_mild using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
                create table z_open (id int generated always as identity primary key, tenant_id int)"
    run_pgmigrate rls --quiet
    assert_status 3
    objects=$(sed -n 's/^\([^ ].*\): \(high\|medium\|low\|info\): .*/\1/p' <<<"$output")
    assert_equal "$(uniq <<<"$objects" | sort | uniq -d)" ""
    severities=$(sed -n 's/^public\.[a-z_]*: \(high\|medium\|low\|info\): .*/\1/p' <<<"$output" | head -n 1)
    assert_equal "$severities" high
    [[ $(head -n 1 <<<"$objects") == public.z_open ]]
    [[ $output != *"what is looked at"* && $output != *"tables of tenants,"* ]]
}

@test "colours are for a terminal, or for who asks" {
    open_tables
    run_pgmigrate rls --color=always
    [[ $output == *$'\033[31mhigh:\033[0m'* ]]
}

@test "the document counts what was looked at, and says what each check came to" {
    open_tables
    run_pgmigrate rls --json
    assert_status 3
    assert_equal "$(findings '"\(.check) \(.severity) \(.object)"')" 'S1 high public."Odd & <names>"
S1 high public.orders'
    assert_equal "$(jq -c .checked <<<"$output")" '{"tables":3,"roles":0,"probes":0}'
    assert_equal "$(jq -c '.checks[0]' <<<"$output")" \
        '{"check":"S1","title":"tables of tenants have row-level security","result":"found","found":2,"inconclusive":0,"accepted":0}'
    assert_equal "$(jq -c '[.accepted, .inconclusive]' <<<"$output")" "[[],[]]"
}

@test "what cannot be decided is neither found nor passed" {
    role=blind_$RANDOM$RANDOM
    psql_value "create role $role login; create role ${role}_app login"
    open_tables
    psql_value "grant select on all tables in schema public to ${role}_app"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role")
    run_pgmigrate rls --role "${role}_app"
    [[ $output == *"role ${role}_app: inconclusive: cannot become the role: "*"[S6]"* ]]
    grep -q '^S6  .*  1 inconclusive$' <<<"$output"
    run_pgmigrate rls --role "${role}_app" --json
    assert_equal "$(jq -r '.inconclusive[] | select(.check == "S6") | .object' <<<"$output")" "role ${role}_app"
    assert_equal "$(jq -r '.checks[] | select(.check == "S6") | .result' <<<"$output")" inconclusive
    drop_test_database
    psql_server "drop role $role, ${role}_app"
}
